"""All that one look at a miner finds; alarms, board, status file and metrics are functions of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from synthcity.serve.answering.metrics import Figures
from synthcity.serve.answering.tally import Status
from synthcity.serve.operations.recording import Recorded
from synthcity.serve.settlement.settler import Settled


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What is slow to find out; None where it is not known yet.

    Attributes:
        clock_offset: seconds that our clock is ahead of ``clock_url``'s.
        published: ``ip:port`` that this miner publishes, None if it publishes nothing.
        on_chain: ``ip:port`` that the chain holds of our hotkey.
        unreachable: why a connection to the published address, tried from here, failed; "" if it did not.
        disk_free: bytes that the disk of the state folder has left.
        ledger_bytes: what the ledger takes; ``ledger_quota`` is what it may.
        calendar_end: ``Calendar.end``, unix seconds; ``calendar_problem`` says why it cannot be read.
    """

    clock_offset: float | None = None
    clock_url: str = ""
    published: str | None = None
    on_chain: str | None = None
    unreachable: str | None = None
    disk_free: int | None = None
    ledger_bytes: int | None = None
    ledger_quota: int | None = None
    calendar_end: int | None = None
    calendar_problem: str = ""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """One look at a miner.

    Attributes:
        title: champion, and what it is.
        now: unix seconds; ``started_at`` is when the miner began to answer.
        assets: that it answers for.
        ages: seconds since each asset's last price, infinite without any.
        status: of all replicas together.
        recent: what was counted in the last ``window_seconds``.
        settled: what the settled answers say.
        troubles: sentences about what is wrong, by where: venues, door (of the public port), chain, replicas, answers,
            settlement, succession, drift, webhook, watch (of a place with challengers).
        recorded: what the feed holds of each asset.
    """

    title: str
    now: float
    started_at: float
    assets: tuple[str, ...]
    ages: Mapping[str, float]
    status: Status
    recent: Figures = field(default_factory=Figures)
    window_seconds: float = 0.0
    settled: Settled = field(default_factory=lambda: Settled(last={}))
    troubles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    recorded: tuple[Recorded, ...] = ()
    surroundings: Surroundings = field(default_factory=Surroundings)

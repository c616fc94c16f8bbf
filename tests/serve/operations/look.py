"""Facts of a miner that is well, and figures, for the tests of this folder."""

from __future__ import annotations

from dataclasses import replace

from synthcity.serve.answering import metrics as kinds
from synthcity.serve.answering.metrics import Figures
from synthcity.serve.answering.tally import Status, Tally
from synthcity.serve.operations.facts import Facts, Surroundings
from synthcity.serve.settlement.settler import Settled
from tests.serve.dialogue import NOW

LABELS = {"route": "Simulation", "asset": "BTC", "time_length": "3600"}


def counted(*, answers: dict[str, int] | None = None, refusals: dict[str, int] | None = None, lost: int = 0) -> Tally:
    """Answers by why the fallback gave them ("none": the model did), refusals by reason, answers that were not kept."""
    tally = Tally()
    for fallback, count in (answers or {}).items():
        for _ in range(count):
            tally.record(kinds.ANSWERS, LABELS | {"fallback": fallback})
            tally.record(kinds.LATENCY, LABELS, 0.02)
    for reason, count in (refusals or {}).items():
        for _ in range(count):
            labels = {"route": "Simulation", "asset": "", "status": "403", "reason": reason}
            tally.record(kinds.REFUSALS, labels)
    for _ in range(lost):
        tally.record(kinds.UNRECORDED, {"reason": "quota"})
    return tally


def well(**changes: object) -> Facts:
    """A miner that answered a minute ago and lacks nothing."""
    facts = Facts(
        title="winner  abc",
        now=NOW,
        started_at=NOW - 3600,
        assets=("BTC", "ETH"),
        ages={"BTC": 40.0, "ETH": 30.0},
        status=Status(replica=0, figures=counted(answers={"none": 20}).figures(), last_answered_at=NOW - 60),
        recent=Figures(),
        window_seconds=600.0,
        settled=Settled(num_settled=3, num_pending=2, last={"BTC": 512.34}),
        surroundings=Surroundings(
            clock_offset=0.2,
            clock_url="https://venue",
            published="203.0.113.7:8091",
            on_chain="203.0.113.7:8091",
            unreachable="",
            disk_free=10**12,
            ledger_bytes=10**9,
            ledger_quota=20 * 10**9,
        ),
    )
    return replace(facts, **changes)


def around(**changes: object) -> Facts:
    """The same, with other surroundings."""
    return well(surroundings=replace(well().surroundings, **changes))

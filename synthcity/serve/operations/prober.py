"""Finds out what is slow to find out, on a thread of its own: the clock, the address, the disk, the calendar."""

from __future__ import annotations

import contextlib
import logging
import math
import shutil
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from synthcity.errors import SynthcityError
from synthcity.market.calendar.events.calendar import Calendar
from synthcity.serve.admission.metagraph import Snapshot
from synthcity.serve.answering.ledger_quota import ledger_bytes
from synthcity.serve.operations.facts import Surroundings
from synthcity.serve.preflight import clock_offset

EVERY_SECONDS, CLOCK_EVERY_SECONDS = 60.0, 300.0
_CONNECT_SECONDS = 5.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Probed:
    """What a prober looks at.

    Attributes:
        state: folder whose disk is measured; ``ledger`` is that of the answers, with ``ledger_quota`` bytes.
        hotkey: ours, as the chain knows it.
        published: ``ip:port`` that this miner publishes.
        clock_url: server whose clock ours is compared with.
        calendar: of what is known to come.
        snapshot: of the chain.
    """

    state: Path
    ledger: Path
    ledger_quota: int
    hotkey: str
    published: str | None
    clock_url: str
    calendar: Callable[[], Calendar]
    snapshot: Callable[[], Snapshot | None] = lambda: None


class Prober:
    """Looks around once a minute. Use as a context manager; ``latest`` is what it found."""

    def __init__(self, probed: Probed, *, every_seconds: float = EVERY_SECONDS) -> None:
        self._probed, self._every = probed, every_seconds
        self._clock_at = -math.inf
        self._found = Surroundings(
            clock_url=probed.clock_url, published=probed.published, ledger_quota=probed.ledger_quota
        )
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="prober", daemon=True)

    @property
    def latest(self) -> Surroundings:
        """What was found last, and what the chain's snapshot says now."""
        snapshot = self._probed.snapshot()
        neuron = None if snapshot is None else snapshot.neurons.get(self._probed.hotkey)
        is_told = neuron is not None and (neuron.port or neuron.ip == "0.0.0.0")
        on_chain = f"{neuron.ip}:{neuron.port}" if neuron is not None and is_told else None
        return replace(self._found, on_chain=on_chain)

    def __enter__(self) -> Prober:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join(10)

    def round(self) -> None:
        """Look around once."""
        probed = self._probed
        with contextlib.suppress(OSError):  # a folder that is gone is told by whoever writes there
            free = shutil.disk_usage(probed.state).free
            self._found = replace(self._found, disk_free=free, ledger_bytes=ledger_bytes(probed.ledger))
        try:
            self._found = replace(self._found, calendar_end=probed.calendar().end, calendar_problem="")
        except SynthcityError as error:
            self._found = replace(self._found, calendar_end=None, calendar_problem=str(error))
        if probed.published is not None:
            self._found = replace(self._found, unreachable=_reach(probed.published))
        if time.monotonic() - self._clock_at >= CLOCK_EVERY_SECONDS:
            self._clock_at = time.monotonic()
            try:
                self._found = replace(self._found, clock_offset=clock_offset(probed.clock_url))
            except SynthcityError as error:
                _log.warning("%s", error)

    def _follow(self) -> None:
        while True:
            try:
                self.round()
            except Exception:  # noqa: BLE001 (the thread must live: else alarms go silent)
                _log.exception("the prober failed")
            if self._stopping.wait(self._every):
                return


def _reach(address: str) -> str:
    """Why nothing answers at ``ip:port``; empty if something does."""
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), _CONNECT_SECONDS):
            return ""
    except (OSError, ValueError) as error:
        return getattr(error, "strerror", None) or str(error) or type(error).__name__

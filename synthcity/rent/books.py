"""The rentals of a cluster in memory, written to its ledger as they change, or as soon as the disk takes it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from synthcity.errors import RunError
from synthcity.rent.ledger import Ledger
from synthcity.rent.rental import Rental

_log = logging.getLogger(__name__)


class Books:
    """Use from any thread; ``lock`` is for what reads and then changes."""

    def __init__(self, path: Path, now: Callable[[], float]) -> None:
        """Take the ledger.

        Raises:
            RunError: another process has it, or it cannot be read or written.
        """
        self.path, self._now = path, now
        self.lock = threading.RLock()
        self._ledger = Ledger(path)
        self._unwritten: set[str] = set()
        moment = now()
        # nobody knows when the last process died in the midst of a request, so absence begins to count now
        found = (
            replace(
                one,
                asked=min(one.asked, moment),
                started=None if one.started is None else min(one.started, moment),
                seen=moment,
            )
            for one in self._ledger.rentals
        )
        self._rentals = {one.name: one for one in found}
        for problem in self._ledger.problems:
            _log.warning("%s", problem)

    def close(self) -> None:
        """Let go of the ledger."""
        self._ledger.close()

    def __contains__(self, name: str) -> bool:
        return name in self._rentals

    def __getitem__(self, name: str) -> Rental:
        return self._rentals[name]

    @property
    def all(self) -> tuple[Rental, ...]:
        """All rentals of the cluster's life."""
        with self.lock:
            return tuple(self._rentals.values())

    @property
    def open(self) -> tuple[Rental, ...]:
        """Whatever is not gone."""
        return tuple(one for one in self.all if one.state != "gone")

    @property
    def spent(self) -> Decimal:
        """USD that the cluster has cost in its life, at most."""
        with self.lock:
            now = self._now()
            return sum((one.cost(now) for one in self.open), self._ledger.spent)

    def begin(self, rental: Rental) -> None:
        """Write an intent, and return once it is on the disk.

        Raises:
            RunError: it cannot be written; there is no such intent.
        """
        with self.lock:
            self._ledger.write(rental)
            self._rentals[rental.name] = rental

    def put(self, rental: Rental) -> None:
        """Keep a rental, on the disk where more has changed than when it was seen; a full disk stops no stop."""
        with self.lock:
            before = self._rentals[rental.name]
            self._rentals[rental.name] = rental
            if replace(before, seen=rental.seen, billed=rental.billed) != rental:
                self._unwritten.add(rental.name)
                self.write()

    def end(self, name: str, why: str) -> None:
        """Have a rental stopped that is not already."""
        with self.lock:
            if self._rentals[name].state in ("intent", "rented"):
                self.put(replace(self._rentals[name], state="stopping", why=why))

    def write(self) -> None:
        """Write what could not be written so far."""
        with self.lock:
            for name in sorted(self._unwritten):
                try:
                    self._ledger.write(self._rentals[name])
                except RunError as error:
                    _log.warning("%s; it is tried again", error)
                    return
                self._unwritten.discard(name)

"""The ledger of a cluster: what was rented, on the disk before it is asked for.

One process holds it at a time. Every line is a whole rental and the sum that all that ended has cost, so that a line
that is lost takes neither another rental nor the sum with it. The market's lists are the truth; this is intent.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from synthcity.errors import DataError
from synthcity.lines import Event, LineWriter, read_records
from synthcity.rent.rental import Rental, read_rental, write_rental
from synthcity.rent.replies import amount

LEDGER = "rentals.jsonl"  # in the folder of its cluster


@dataclass(frozen=True, kw_only=True)
class Spent:
    """What a cluster has cost in its life, at most: USD, and hours of GPUs that were there."""

    usd: float
    gpu_hours: float


@dataclass(frozen=True, kw_only=True)
class Account:
    """What a ledger tells.

    Attributes:
        rentals: the last that was written of each, in order of their first lines.
        spent: USD that all that ended has cost.
        problems: a sentence for each line that is none.
    """

    rentals: tuple[Rental, ...]
    spent: Decimal
    problems: tuple[str, ...]

    def by(self, now: float) -> Spent:
        """Return what all has cost by ``now``, in Unix seconds."""
        still = sum((one.cost(now) for one in self.rentals if one.state != "gone"), Decimal(0))
        return Spent(usd=float(self.spent + still), gpu_hours=sum(one.gpu_hours(now) for one in self.rentals))


def read_ledger(path: Path) -> Account:
    """Read a ledger, also while another process writes to it; nothing where there is none.

    Raises:
        RunError: it cannot be read.
    """
    lines, problems = read_records(path, _read)
    rentals = {rental.name: rental for rental, _ in lines}
    ended = sum((one.cost(0.0) for one in rentals.values() if one.state == "gone"), Decimal(0))
    told = max((spent for _, spent in lines), default=Decimal(0))
    return Account(rentals=tuple(rentals.values()), spent=max(ended, told), problems=tuple(problems))


def read_ledgers(root: Path) -> dict[str, Rental]:
    """Return all rentals of all clusters whose folders lie in ``root``, by name.

    Raises:
        RunError: a ledger cannot be read.
    """
    ledgers = [read_ledger(path) for path in sorted(root.glob(f"*/{LEDGER}"))]
    return {rental.name: rental for account in ledgers for rental in account.rentals}


def _read(event: Event) -> tuple[Rental, Decimal]:
    spent = amount(event.pop("spent", None))
    if spent is None:
        raise DataError("has no sum of what was spent")
    return read_rental(event), spent


class Ledger:
    """Writes the ledger, alone; where its file is deleted or replaced meanwhile, it is begun again with all of it."""

    def __init__(self, path: Path) -> None:
        """Take it.

        Raises:
            RunError: another process has it, or it cannot be read or written.
        """
        self.path = path
        self._writer = LineWriter(path, exclusive=True)
        account = read_ledger(path)
        self.problems = account.problems
        self._rentals = {rental.name: rental for rental in account.rentals}
        self._spent = account.spent

    @property
    def rentals(self) -> tuple[Rental, ...]:
        """All rentals, as they were written last."""
        return tuple(self._rentals.values())

    @property
    def spent(self) -> Decimal:
        """USD that all that ended has cost."""
        return self._spent

    def write(self, rental: Rental) -> None:
        """Write a rental and return once it is on the disk.

        Raises:
            RunError: it cannot be written; the ledger is as it was.
        """
        if not self._is_in_place():
            self._begin_again()
        before = self._rentals.get(rental.name)
        spent = self._spent + (_cost(rental) - _cost(before))
        self._writer.append({**write_rental(rental), "spent": str(spent)})
        self._rentals[rental.name], self._spent = rental, spent

    def close(self) -> None:
        """Let go of it."""
        self._writer.close()

    def _is_in_place(self) -> bool:
        try:
            return os.path.samestat(os.stat(self.path), self._writer.stat())
        except OSError:
            return False

    def _begin_again(self) -> None:
        writer = LineWriter(self.path, exclusive=True)
        try:
            for rental in self._rentals.values():
                writer.append({**write_rental(rental), "spent": str(self._spent)})
        except BaseException:
            writer.close()
            raise
        self._writer.close()
        self._writer = writer


def _cost(rental: Rental | None) -> Decimal:
    """What a rental adds to the sum of what ended."""
    return rental.cost(0.0) if rental is not None and rental.state == "gone" else Decimal(0)

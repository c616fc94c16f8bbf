"""One rented machine, from the intent to rent it until no list shows it any more."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from synthcity.durations import HOUR
from synthcity.errors import DataError
from synthcity.lines import Event
from synthcity.rent.config import Kind

# intent: to be asked for, or asked for with an outcome that nobody knows; rented: it is there; stopping: it is to end,
# and is billed until a list lacks it; gone: it is not there, and no money is owed for it
State = Literal["intent", "rented", "stopping", "gone"]
_PORT = "-p ?(?P<{}>[0-9]{{1,5}})"
_TARGET = r"(?:(?P<user>\w[\w.-]*)@)?(?P<host>\w[\w.:-]*)"
_SSH = re.compile(f"ssh (?:{_PORT.format('before')} )?{_TARGET}(?: {_PORT.format('after')})?", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where a machine answers to SSH."""

    user: str
    host: str
    port: int = 22


@dataclass(frozen=True, kw_only=True)
class Rental:
    """One rental as the ledger has it. Times are Unix seconds, amounts USD.

    Attributes:
        name: what the market knows it by, unique for ever.
        node_type: of the cluster's file.
        kind: of the list that it is in.
        state: see ``State``.
        place: its number among the cluster's machines, no two of which that are there have the same; 0 for none.
        request: what whoever asked for it calls the request.
        offer: id of the offering; empty where it was never known.
        gpu: normalised name, empty without one.
        max_hourly: the most that it may cost an hour; dearer, it is stopped.
        hourly: what it costs an hour, None until the market has told.
        id: of the market; empty until it has told.
        asked: when it was asked for.
        started: when it was first known to be there.
        joined: whether it has been a node of the cluster.
        seen: when a list showed it last, or when its absence began to count.
        ended: when it was found to be gone.
        billed: what the market has billed, as far as it told.
        ssh: how to reach it, in the market's words; empty until it runs.
        why: it is stopped, or gone.
    """

    name: str
    node_type: str
    kind: Kind
    state: State = "intent"
    place: int = 0
    request: str = ""
    offer: str = ""
    gpu: str = ""
    gpu_count: int = 0
    is_spot: bool = False
    max_hourly: Decimal
    hourly: Decimal | None = None
    id: str = ""
    asked: float
    started: float | None = None
    joined: bool = False
    seen: float
    ended: float | None = None
    billed: Decimal = Decimal(0)
    ssh: str = ""
    why: str = ""

    @property
    def worst_hourly(self) -> Decimal:
        """USD an hour: what it costs, or may cost at most while that is not known; 0 once it is gone."""
        if self.state == "gone":
            return Decimal(0)
        return self.max_hourly if self.hourly is None else self.hourly

    def cost(self, now: float) -> Decimal:
        """Return what it has cost by ``now`` at most, by our clock, or by the market's bill where that is more."""
        if self.state == "gone" and self.started is None:
            return self.billed
        hours = max(0.0, (now if self.ended is None else self.ended) - self.asked) / HOUR
        rate = self.max_hourly if self.hourly is None else self.hourly
        return max(self.billed, rate * Decimal(repr(hours)))

    def gpu_hours(self, now: float) -> float:
        """Return the hours of GPUs for which it has been there by ``now``, booting or idle ones, too."""
        if self.started is None:
            return 0.0
        return self.gpu_count * max(0.0, (now if self.ended is None else self.ended) - self.asked) / HOUR

    @property
    def address(self) -> Address | None:
        """Where to reach it; None while the market has not told, or told what is no address."""
        return parse_ssh(self.ssh)


def parse_ssh(command: str) -> Address | None:
    """Read ``ssh user@host``, with ``-p port`` before or after; None for anything else, options of ssh above all."""
    found = _SSH.fullmatch(command.strip())
    if not found:
        return None
    port = int(found["before"] or found["after"] or 22)
    return Address(user=found["user"] or "ubuntu", host=found["host"], port=port) if 0 < port < 65536 else None


_RENTAL = TypeAdapter(Rental)


def write_rental(rental: Rental) -> dict[str, object]:
    """Return a rental as plain data."""
    plain: dict[str, object] = _RENTAL.dump_python(rental, mode="json")
    return plain


def read_rental(event: Event) -> Rental:
    """Return the rental of plain data.

    Raises:
        DataError: it is none.
    """
    try:
        return _RENTAL.validate_python(event)
    except ValidationError as error:
        raise DataError(f"is no rental ({error.errors()[0]['msg']})") from error

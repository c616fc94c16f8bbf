"""The reaper: ends what is too old, whoever rented it, by the names and times in the market's lists alone.

It needs no ledger and runs best on another machine than the lessor, which may be lost with all its disks. Each round in
which the market has told all leaves a heartbeat, so that nothing is rented where nobody would end it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from synthcity import strict_json
from synthcity.durations import HOUR, MINUTE, write_duration
from synthcity.errors import ConfigError, RentError
from synthcity.files import atomic_write
from synthcity.rent.market import Market
from synthcity.rent.naming import PREFIX
from synthcity.rent.replies import Listed

HEARTBEAT = "reaper.json"  # in the folder of the clusters
OLDER = 12.0 * HOUR
FRESH = 5.0 * MINUTE  # a heartbeat that is older is none
_PATIENCE = 5.0 * MINUTE  # for what was ended to leave the lists
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Heartbeat:
    """The last whole round of a reaper: when, at which market, and what age it ends.

    ``first`` tells when it first saw each rental of whose time the market tells nothing, so that one that is started
    anew does not begin to count again.
    """

    time: float
    url: str
    older: float
    first: dict[str, float] = field(default_factory=dict)


_HEARTBEAT = TypeAdapter(Heartbeat)


@dataclass(frozen=True, kw_only=True)
class Aged:
    """A rental and its age in seconds."""

    row: Listed
    age: float

    @property
    def key(self) -> str:
        """By which the market knows it."""
        return self.row.id or self.row.name


class Reaper:
    """Looks for rentals of all clusters, or of one, that are older than so many seconds, or over by their ledger."""

    def __init__(
        self,
        market: Market,
        older: float,
        *,
        prefix: str = PREFIX,
        heartbeat: Path | None = None,
        over: Callable[[], Collection[str]] = tuple,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """Begin where the last one ended.

        Args:
            prefix: how names begin.
            heartbeat: replaced after each whole round.
            over: tells the names of what is gone by the ledgers of this machine, and ends at any age where it is not.
            wall: the clock that others hold the heartbeat against.
        """
        self._market, self._older, self._prefix, self._heartbeat = market, older, prefix, heartbeat
        self._over, self._wall = over, wall
        beat = None if heartbeat is None else _read(heartbeat)
        self._first = {} if beat is None else dict(beat.first)  # when each was first seen here, by our clock

    def due(self) -> list[Aged]:
        """Return what is too old now, the oldest first.

        A rental whose time the market does not tell, or tells to come, counts from when it was first seen here.

        Raises:
            RentError: the market has not told all, and nothing that it told is too old.
        """
        listing = self._market.rentals()
        now, found = self._market.now(), list[Aged]()
        over = frozenset(self._over())
        for row in listing.rows:
            if row.name.startswith(self._prefix):
                first = self._first[row.id or row.name] = min(now, self._first.get(row.id or row.name, now))
                created = now if row.created is None else row.created - (listing.skew or 0.0)
                found.append(Aged(row=row, age=now - min(first, created)))
        due = [one for one in found if one.age >= self._older or one.row.name in over]
        due.sort(key=lambda one: -one.age)
        if listing.is_whole:
            self._first = {one.key: self._first[one.key] for one in found}
            self._beat({one.key: self._first[one.key] for one in found if one.row.created is None})
        elif not due:
            raise RentError(listing.problem)
        return due

    def end(self, due: Sequence[Aged]) -> list[str]:
        """Ask that these end and return a sentence for each that could not be asked for."""
        return [problem for problem in self._ask_all(due) if problem]

    def end_all(self, due: Sequence[Aged], sleep: Callable[[float], None] = time.sleep) -> None:
        """Ask that these end until that is answered, and whole lists lack them.

        Raises:
            RentError: they may still be there after five minutes, or the market does not tell.
        """
        left, until = due, self._market.now() + _PATIENCE
        while True:
            failed = set()
            for one, problem in zip(left, self._ask_all(left), strict=True):
                if problem:
                    failed.add(one.key)
                    _log.warning("%s; it is asked again", problem)
            listing = self._market.rentals()
            there = failed | {row.id or row.name for row in listing.rows}
            left = [one for one in due if one.key in there or not listing.is_whole]
            if not left:
                return
            if self._market.now() > until:
                names = ", ".join(one.row.name for one in left)
                raise RentError(listing.problem or f"still there: {names}; look at the market itself")
            sleep(5.0)

    def _ask_all(self, due: Sequence[Aged]) -> list[str]:
        with ThreadPoolExecutor(8) as pool:
            return list(pool.map(self._ask, due))

    def _ask(self, one: Aged) -> str:
        try:
            self._market.stop(one.row.kind, one.key)
        except (RentError, ConfigError) as error:
            return str(error)
        return ""

    def _beat(self, first: dict[str, float]) -> None:
        if self._heartbeat is None:
            return
        beat = Heartbeat(time=self._wall(), url=self._market.url, older=self._older, first=first)
        try:
            atomic_write(self._heartbeat, _HEARTBEAT.dump_json(beat))
        except OSError as error:  # reaping goes on; whoever needs the heartbeat sees that it is old
            _log.warning("cannot write %s: %s", self._heartbeat, error.strerror or error)


def require_reaper(heartbeat: Path, url: str, longest_lease: float, now: float) -> None:
    """Return where a reaper has reported within five minutes.

    Args:
        url: of the market that it must look at.
        longest_lease: seconds; what it ends must be older, or it would end what is in use.

    Raises:
        ConfigError: none has, or one of another market or age.
    """
    start = "start `synthcity cluster reap --every 60s --yes`, best as deploy/synthcity-reap.service"
    beat = _read(heartbeat)
    if beat is None:
        raise ConfigError(f"no reaper has reported in {heartbeat}; {start}")
    if not 0 <= now - beat.time <= FRESH:
        raise ConfigError(f"the reaper of {heartbeat} has not reported for {_ago(now - beat.time)}; {start}")
    if beat.url != url:
        raise ConfigError(f"the reaper of {heartbeat} looks at {beat.url}, not at {url}; {start}")
    if beat.older < longest_lease:
        older, lease = write_duration(beat.older), write_duration(longest_lease)
        raise ConfigError(f"the reaper ends what is older than {older}, and a lease may last {lease}; give it --older")


def _read(path: Path) -> Heartbeat | None:
    try:
        return _HEARTBEAT.validate_python(strict_json.loads(path.read_bytes()))
    except (OSError, ValueError, ValidationError):
        return None


def _ago(seconds: float) -> str:
    return write_duration(int(seconds)) if seconds > 0 else "any time that has been"

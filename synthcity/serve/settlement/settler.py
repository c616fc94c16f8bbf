"""Settles what is due while the miner answers, and says what the answers were worth."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from synthcity.errors import DataError, SynthcityError
from synthcity.market.store import PriceStore
from synthcity.serve.settlement.challenge import ChallengeVerdict, Pair, judge
from synthcity.serve.settlement.drift import calibrations
from synthcity.serve.settlement.settle import Book, settle
from synthcity.serve.settlement.standing import Standing, standings
from synthcity.sn50.competitions import get_rules

EVERY_SECONDS = 300.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Settled:
    """What the settled answers say.

    Attributes:
        num_settled: answers with a score in the ledger; ``num_pending`` wait for their end or its price.
        standings: rolling averages by competition.
        last: total of the answer of each asset that ended last, basis points.
        verdicts: of the challenger, in each competition in which both were scored.
        alarms: drift, damage and trouble, a sentence each.
    """

    num_settled: int = 0
    num_pending: int = 0
    standings: tuple[Standing, ...] = ()
    last: dict[str, float]
    verdicts: tuple[ChallengeVerdict, ...] = ()
    alarms: tuple[str, ...] = ()


def settled(book: Book, store: PriceStore, now: float, race: Pair | None = None) -> Settled:
    """Settle what is due and say what there is; ``race`` names champion and challenger.

    Raises:
        SynthcityError: the ledger cannot be read or written, or another process settles.
    """
    done = settle(book.folder, store, now, book=book)
    scores = book.scores
    alarms = [*done.problems, *(alarm for one in calibrations(scores, now) for alarm in one.alarms)]
    return Settled(
        num_settled=len(scores),
        num_pending=done.num_pending,
        standings=tuple(standings(scores, now)),
        last=_last(scores),
        verdicts=_verdicts(book, race, now),
        alarms=tuple(alarms),
    )


def _last(scores: pd.DataFrame) -> dict[str, float]:
    sent = scores[scores["sent"].astype(bool)]
    newest = sent.assign(end=sent["start_time"] + sent["time_length"]).sort_values("end", kind="stable")
    return {str(asset): float(total) for asset, total in newest.groupby("asset")["total"].last().items()}


def _verdicts(book: Book, race: Pair | None, now: float) -> tuple[ChallengeVerdict, ...]:
    found: list[ChallengeVerdict] = []
    if race is None:
        return ()
    for competition in get_rules().competitions.values():
        try:
            pair = race.champion, race.challenger
            found.append(judge(book.folder, *pair, competition, now, config=race.config, scores=book.scores))
        except DataError:  # one of the two has no score there yet
            continue
    return tuple(found)


class Settler:
    """Settles on a thread of its own; ``latest`` is the last that it found. Use as a context manager."""

    def __init__(
        self,
        folder: Path,
        store: PriceStore,
        race: Callable[[], Pair | None],
        *,
        every_seconds: float = EVERY_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.latest = Settled(last={})
        self.problem: str | None = None
        self._book, self._store, self._race = Book(folder), store, race
        self._every, self._clock = every_seconds, clock
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="settler", daemon=True)

    def __enter__(self) -> Settler:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join(30)

    def round(self) -> None:
        """Settle once; what goes wrong is told by ``problem``."""
        race = problem = None
        try:
            try:
                race = self._race()
            except SynthcityError as error:  # scores do not hang on it
                problem = f"the race is not judged: {error}"
            self.latest = settled(self._book, self._store, self._clock(), race)
        except SynthcityError as error:
            problem = f"nothing is settled: {error}"
        except Exception as error:  # noqa: BLE001 (the thread must live: else nothing is settled and nobody is told)
            _log.exception("nothing is settled")
            problem = f"nothing is settled: {type(error).__name__} {error}; the log says more"
        self.problem = problem

    def _follow(self) -> None:
        while True:
            self.round()
            if self._stopping.wait(self._every):
                return

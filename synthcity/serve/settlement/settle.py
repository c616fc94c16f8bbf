"""Settling answers: the network's own score against what the price then did, and the rolling average of it.

The rules are the network's: a prompt is scored from 90 s after its end, once a minute candle later than its last grid
time shows that the venue went on; a prompt whose last grid value is missing waits. It is given up after two days only
where the store shows that the price never came: a store that lacks those days, or is damaged, costs no score.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from synthcity.durations import DAY
from synthcity.errors import DataError, SynthcityError
from synthcity.forecast.evaluation.diagnostics import pit_counts, pit_horizons
from synthcity.lines import LineWriter, Tail, read_records
from synthcity.market.bars import Floats, Market
from synthcity.market.store import PriceStore
from synthcity.market.times import format_time
from synthcity.market.venues.official import official_venue
from synthcity.serve.answering import clock
from synthcity.serve.answering.answer_ledger import ANSWERS, SCORES, AnswerRecord
from synthcity.sn50.competitions import Rules, competition_of, get_rules
from synthcity.sn50.prompt import Prompt
from synthcity.sn50.scoring import network_score

_log = logging.getLogger(__name__)

PATIENCE_SECONDS = 90
"""How long after its end the network begins to score a prompt."""

GIVEN_UP_AFTER_SECONDS = 2 * DAY
"""How long after its end a last price is waited for that a later candle shows to be missing."""

PIT_SECONDS = 4 * DAY
"""How long histograms of calibration are held in memory."""

_BATCH = 20_000  # lines
_COLUMNS = {
    "answer": "object",
    "asset": "object",
    "start_time": "int64",
    "time_length": "int64",
    "bundle": "object",
    "sent": "bool",
    "fallback": "object",
    "price_age": "float64",
    "competition": "object",
    "rules": "object",
    "total": "float64",
    "num_missing": "int64",
    "pit": "object",
}


@dataclass(frozen=True, kw_only=True)
class ScoreRecord:
    """One line of ``scores.jsonl``.

    Attributes:
        answer: id of the answer.
        asset, start_time, time_length, bundle, sent, fallback, price_age: as in the answer.
        competition: whose intervals were scored, None without a score.
        rules: date of the rules.
        total: the network's number in basis points, -1 for an invalid answer; None if it will never be scored.
        intervals: sum of each interval.
        num_missing: grid values that nobody observed.
        pit: by horizon in seconds, the histogram of ``forecast.diagnostics.pit_counts``.
        reason: why there is no total.
    """

    answer: str
    asset: str
    start_time: int
    time_length: int
    bundle: str
    sent: bool
    fallback: str | None
    price_age: float
    competition: str | None
    rules: str
    total: float | None
    intervals: Mapping[str, float] = field(default_factory=dict)
    num_missing: int = 0
    pit: Mapping[str, list[float]] = field(default_factory=dict)
    reason: str | None

    @classmethod
    def parse(cls, event: Mapping[str, Any]) -> ScoreRecord:
        """Read a line.

        Raises:
            DataError: it is no score.
        """
        try:
            record = cls(**event)
            numbers = [record.total or 0.0, record.price_age, *record.intervals.values()]
            for histogram in record.pit.values():
                numbers += histogram
            whole = [record.start_time, record.time_length, record.num_missing]
            if not {*map(type, numbers)} <= {int, float}:
                raise TypeError("a number is none")
            if not all(isinstance(number, int) and abs(number) < 2**53 for number in whole):
                raise TypeError("a whole number is none")
            texts = [record.answer, record.asset, record.bundle, record.rules]
            texts += [text for text in (record.fallback, record.competition) if text is not None]
            if not all(isinstance(text, str) for text in texts):
                raise TypeError("a name is none")
        except (TypeError, AttributeError) as error:
            raise DataError(f"is no score ({error})") from error
        return record


@dataclass(frozen=True, kw_only=True)
class Settlement:
    """What one round of settling did; ``problems`` holds a sentence for whatever is damaged."""

    num_settled: int
    num_pending: int
    num_given_up: int
    problems: tuple[str, ...]


def settle(
    folder: Path,
    store: PriceStore,
    now: float,
    *,
    rules: Rules | None = None,
    venue: str | None = None,
    keep_paths: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
    book: Book | None = None,
) -> Settlement:
    """Score all answers of the ledger in ``folder`` that can be scored by now, once each.

    Args:
        store: minute bars of the assets.
        rules: the newest by default.
        venue: of the bars; by default the one that the network settles by.
        keep_paths: else the paths of an answer are deleted once its score is on the disk.
        progress: called with (answers dealt with, answers that are due).
        book: of an earlier call for the same folder, so that only what is new is read; it knows the scores afterwards.

    Raises:
        RunError: the ledger cannot be read or written, or another process settles.
    """
    rules = get_rules() if rules is None else rules
    book = Book(folder) if book is None else book
    with LineWriter(folder / SCORES, exclusive=True) as lines:
        book.follow()
        problems = [*book.problems, *filter(None, [lines.mended])]
        due = [answer for answer in book.waiting.values() if now >= _end(answer) + PATIENCE_SECONDS]
        prices = _Prices(store, due, venue, now)
        num_settled = num_given_up = 0
        for done, answer in enumerate(due, start=1):
            try:
                record = _score(answer, folder, prices, rules, now)
            except DataError as error:
                problems.append(str(error))
                record = None
            if record is not None:
                lines.append(asdict(record))
                num_settled += record.total is not None
                num_given_up += record.total is None
                if not keep_paths:
                    try:
                        (folder / answer.paths).unlink(missing_ok=True)
                    except OSError as error:  # the score is on the disk: only space is lost
                        problems.append(f"cannot delete {folder / answer.paths} ({error.strerror}); it is settled")
            progress(done, len(due))
        book.follow()
    return Settlement(
        num_settled=num_settled,
        num_pending=len(book.waiting),
        num_given_up=num_given_up,
        problems=tuple(dict.fromkeys(problems)),
    )


def read_answers(folder: Path) -> tuple[list[AnswerRecord], list[str]]:
    """Return the answers of a ledger, and a sentence for each damaged line.

    Raises:
        RunError: it cannot be read.
    """
    return read_records(folder / ANSWERS, AnswerRecord.parse)


def read_scores(folder: Path) -> pd.DataFrame:
    """Return settled scores, as ``Book.scores``; damaged lines are told by the log.

    Raises:
        RunError: the ledger cannot be read.
    """
    tail = Tail(folder / SCORES, ScoreRecord.parse)
    scores = _table([])
    while records := tail.read(_BATCH):
        scores = _grown(scores, records)
    for problem in tail.problems:
        _log.warning(problem)
    return scores


class Book:
    """What a ledger holds, read once and then followed: a busy miner's grows by a hundred megabytes a day.

    Attributes:
        waiting: answers without a score, by id.
        scores: settled answers, one row each: the fields of ``ScoreRecord`` but intervals and reason. Answers that were
            given up are left out; ``pit`` is that of the last days, else None.
    """

    def __init__(self, folder: Path) -> None:
        """Args: ``folder`` is that of the ledger; nothing is read yet."""
        self.folder = folder
        self._begin()

    def _begin(self) -> None:
        self.waiting: dict[str, AnswerRecord] = {}
        self.scores = _table([])
        self._early: set[str] = set()  # scored, while the answer itself was not read yet
        self._answer_lines = Tail(self.folder / ANSWERS, AnswerRecord.parse)
        self._score_lines = Tail(self.folder / SCORES, ScoreRecord.parse)

    @property
    def problems(self) -> tuple[str, ...]:
        """A sentence for whatever is damaged."""
        return self._answer_lines.problems + self._score_lines.problems

    def follow(self) -> None:
        """Read what is new; all of it if the files no longer begin as they did.

        Raises:
            RunError: the ledger cannot be read.
        """
        if self._answer_lines.is_cut or self._score_lines.is_cut:
            _log.warning("the ledger %s was changed behind our back; it is read again", self.folder)
            self._begin()
        while records := self._score_lines.read(_BATCH):
            for record in records:
                if self.waiting.pop(record.answer, None) is None:
                    self._early.add(record.answer)
            self.scores = _grown(self.scores, records)
        while answers := self._answer_lines.read(_BATCH):
            for answer in answers:
                if answer.id in self._early:
                    self._early.remove(answer.id)
                else:
                    self.waiting[answer.id] = answer


def _table(records: Sequence[ScoreRecord]) -> pd.DataFrame:
    columns = {name: [getattr(record, name) for record in records] for name in _COLUMNS}
    for name in ("asset", "bundle", "fallback", "competition", "rules"):  # a few texts, each kept once
        columns[name] = [text and sys.intern(text) for text in columns[name]]
    return pd.DataFrame({name: pd.Series(columns[name], dtype=kind) for name, kind in _COLUMNS.items()})


def _grown(scores: pd.DataFrame, records: Sequence[ScoreRecord]) -> pd.DataFrame:
    """``scores`` with those of ``records`` that have one; only the newest keep their histograms, which are large."""
    new = _table([record for record in records if record.total is not None])
    grown = pd.concat([scores, new], ignore_index=True)
    end = grown["start_time"] + grown["time_length"]
    grown["pit"] = grown["pit"].where(end > end.max() - PIT_SECONDS, None)
    return grown


class _Prices:
    """Minute bars of each asset over all that is due, read once."""

    def __init__(self, store: PriceStore, due: list[AnswerRecord], venue: str | None, now: float) -> None:
        self._store, self._venue = store, venue
        self._spans: dict[str, tuple[int, int]] = {}
        for answer in due:
            start, end = self._spans.get(answer.prompt.asset, (answer.prompt.start_time, 0))
            last = max(_end(answer) + GIVEN_UP_AFTER_SECONDS, int(now))
            self._spans[answer.prompt.asset] = min(start, answer.prompt.start_time), max(end, last)
        self._markets: dict[str, Market] = {}

    def of(self, asset: str) -> Market:
        if asset not in self._markets:
            venue = official_venue(asset).name if self._venue is None else self._venue
            bars = self._store.read(asset, venue, clock.MINUTE, *self._spans[asset])
            self._markets[asset] = Market({(asset, clock.MINUTE): bars})
        return self._markets[asset]


def _end(answer: AnswerRecord) -> int:
    return answer.prompt.start_time + answer.prompt.time_length


def _score(answer: AnswerRecord, folder: Path, prices: _Prices, rules: Rules, now: float) -> ScoreRecord | None:
    """Score one answer; None while it has to wait.

    Raises:
        DataError: it cannot be scored for another reason than time, which may be mended until it is given up.
    """
    prompt, may_wait = answer.prompt, now <= _end(answer) + GIVEN_UP_AFTER_SECONDS
    record = ScoreRecord(
        answer=answer.id,
        asset=prompt.asset,
        start_time=prompt.start_time,
        time_length=prompt.time_length,
        bundle=answer.bundle,
        sent=answer.sent,
        fallback=answer.fallback,
        price_age=answer.price_age,
        competition=None,
        rules=rules.date,
        total=None,
        reason="its last price was never observed",
    )

    def give_up(error: Exception) -> ScoreRecord:
        if may_wait:
            raise DataError(f"{answer.id} cannot be settled: {error}") from error
        return replace(record, reason=str(error))

    try:
        market = prices.of(prompt.asset)
    except DataError as error:  # a store that is damaged can be mended; paths that were given up are gone
        raise DataError(f"answers of {prompt.asset} cannot be settled: {error}") from error
    except SynthcityError as error:
        return give_up(error)
    # a candle later than the last grid time is the witness that the price of that time is final, or will not come
    bars, last, truth = market[prompt.asset, clock.MINUTE], int(prompt.grid[-1]), clock.realised(market, prompt)
    if not len(bars) or int(bars.time[-1]) <= last:
        if may_wait:
            return None
        held = f"ends at {format_time(int(bars.time[-1]))}" if len(bars) else "holds nothing of those days"
        raise DataError(f"answers of {prompt.asset} wait: the store {held}; fill it by `synthcity data download`")
    if np.isnan(truth[-1]):
        return None if may_wait else record
    try:
        return _scored(record, answer.load_paths(folder).astype(np.float64), truth, prompt, rules)
    except (SynthcityError, ValueError) as error:
        return give_up(error)


def _scored(record: ScoreRecord, paths: Floats, truth: Floats, prompt: Prompt, rules: Rules) -> ScoreRecord:
    competition = competition_of(prompt.asset, prompt.time_length, rules)
    result = network_score(paths, truth, competition, rules)
    is_valid = bool(result.valid)
    pit = {
        str(seconds): pit_counts(paths, truth, seconds // prompt.time_increment).round(6).tolist()
        for seconds in (pit_horizons(prompt.time_length) if is_valid else ())
    }
    return replace(
        record,
        competition=competition.name,
        total=float(result.total),
        intervals={name: float(value) for name, value in result.intervals.items()} if is_valid else {},
        num_missing=int(np.isnan(truth).sum()),
        pit=pit,
        reason=None,
    )

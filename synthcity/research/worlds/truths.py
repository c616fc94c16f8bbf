"""The family of planted truths: each multiplies the volatility of bars by what its parameters say.

``multiplier`` is what really happens. ``foretold`` is what could be known of it at the start of a prompt: what an input
says that knows the planted part and nothing else. One that knows more of the market beside it may gain more.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from synthcity.durations import DAY, HOUR, MINUTE
from synthcity.market.bars import Floats, Times
from synthcity.market.calendar.clock import weekday_and_second
from synthcity.research.inputs import Rows
from synthcity.research.known import Known, Published

_CYCLES = (31, 37, 41, 43, 53)
_KINDS = ("notice-a", "notice-b", "notice-c")


@dataclass(frozen=True, kw_only=True)
class Truth(ABC):
    """One planted structure."""

    kind: ClassVar[str]

    @classmethod
    @abstractmethod
    def draw(cls, rng: np.random.Generator, assets: tuple[str, ...]) -> Truth:
        """Draw its parameters."""

    @abstractmethod
    def multiplier(self, known: Known) -> Floats:
        """Return the log multiplier of the volatility of each row's bar, (n, assets), from a market without it."""

    @abstractmethod
    def foretold(self, known: Known, truth: Floats, rows: Rows, ends: Times) -> Floats:
        """Return what could be known at ``rows`` of the log multiplier at ``ends`` (n, steps): (n, assets, steps).

        ``truth`` is ``multiplier`` of the same market.
        """


def _later(known: Known, truth: Floats, ends: Times) -> Floats:
    """The log multiplier at ``ends`` (n, steps): (n, assets, steps)."""
    at = np.clip((ends - known.times[0]) // known.step, 0, len(known) - 1)
    return np.asarray(np.moveaxis(truth[at], 2, 1))


def _delayed(values: Floats, rows: int) -> Floats:
    """The values (n,) of so many rows before each, NaN before there was one."""
    found = np.full(len(values), np.nan)
    found[rows:] = values[: len(values) - rows]
    return found


class _ByClock(Truth):
    """What clock and schedule decide is known in full."""

    def foretold(self, known: Known, truth: Floats, rows: Rows, ends: Times) -> Floats:
        return _later(known, truth, ends)


@dataclass(frozen=True, kw_only=True)
class Nothing(_ByClock):
    """A market without any structure beside the packaged one."""

    kind = "none"

    @classmethod
    def draw(cls, rng: np.random.Generator, assets: tuple[str, ...]) -> Nothing:
        return cls()

    def multiplier(self, known: Known) -> Floats:
        return np.zeros((len(known), len(known.assets)))


@dataclass(frozen=True, kw_only=True)
class Bursts(_ByClock):
    """The steps that begin at some minutes of the hour, on two days of the week alone, move more."""

    kind = "bursts"
    minutes: tuple[int, ...]
    weekdays: tuple[int, ...]
    height: float

    @classmethod
    def draw(cls, rng: np.random.Generator, assets: tuple[str, ...]) -> Bursts:
        return cls(
            minutes=tuple(int(m) for m in np.sort(5 * rng.choice(12, 2, replace=False))),
            weekdays=tuple(int(d) for d in np.sort(rng.choice(7, 2, replace=False))),
            height=float(rng.uniform(1.0, 1.3)),
        )

    def multiplier(self, known: Known) -> Floats:
        opened = known.times - known.step
        weekday, _ = weekday_and_second(opened)
        inside = np.isin(opened % HOUR // MINUTE // 5 * 5, self.minutes) & np.isin(weekday, self.weekdays)
        return np.repeat(np.where(inside, self.height, 0.0)[:, None], len(known.assets), axis=1)


@dataclass(frozen=True, kw_only=True)
class Cycle(_ByClock):
    """Volatility swings with a period of an odd number of hours."""

    kind = "cycle"
    hours: int
    phase: float
    height: float

    @classmethod
    def draw(cls, rng: np.random.Generator, assets: tuple[str, ...]) -> Cycle:
        return cls(hours=int(rng.choice(_CYCLES)), phase=float(rng.uniform(0, 1)), height=float(rng.uniform(0.35, 0.5)))

    def multiplier(self, known: Known) -> Floats:
        turn = known.times / (self.hours * HOUR) + self.phase
        return np.repeat(self.height * np.cos(2 * np.pi * turn)[:, None], len(known.assets), axis=1)


@dataclass(frozen=True, kw_only=True)
class Schedule(_ByClock):
    """After what a schedule announces under one of its names volatility leaps and ebbs; the others mean nothing."""

    kind = "schedule"
    name: str
    height: float
    half_life_minutes: float

    @classmethod
    def draw(cls, rng: np.random.Generator, assets: tuple[str, ...]) -> Schedule:
        return cls(
            name=str(rng.choice(_KINDS)),
            height=float(rng.uniform(1.2, 1.5)),
            half_life_minutes=float(rng.uniform(90, 180)),
        )

    def multiplier(self, known: Known) -> Floats:
        log = np.zeros(len(known))
        for due in known.series[self.name][1]:
            since = (known.times - known.step - due) / MINUTE
            log += np.where(since >= 0, self.height * 0.5 ** (np.maximum(since, 0) / self.half_life_minutes), 0.0)
        return np.repeat(np.minimum(log, 1.8)[:, None], len(known.assets), axis=1)


@dataclass(frozen=True, kw_only=True)
class LeadLag(Truth):
    """The volatility of one asset comes to the others some hours later."""

    kind = "lead-lag"
    leader: str
    hours: int
    height: float

    @classmethod
    def draw(cls, rng: np.random.Generator, assets: tuple[str, ...]) -> LeadLag:
        return cls(leader=str(rng.choice(assets)), hours=int(rng.integers(12, 21)), height=float(rng.uniform(0.8, 1.0)))

    def multiplier(self, known: Known) -> Floats:
        size = np.abs(np.nan_to_num(known.returns(self.leader)))
        hour = round(HOUR / known.step)
        total = np.concatenate([np.zeros(hour), np.cumsum(size)])
        level = (total[hour:] - total[:-hour]) / hour
        log = np.clip(np.log(level / np.median(level) + 0.05), -1.0, 1.5)
        late = np.nan_to_num(_delayed(log, self.hours * hour))
        follows = np.array([asset != self.leader for asset in known.assets])
        return np.asarray(self.height * late[:, None] * follows)

    def foretold(self, known: Known, truth: Floats, rows: Rows, ends: Times) -> Floats:
        later = _later(known, truth, ends)
        seen = ends - known.times[rows][:, None] <= self.hours * HOUR
        return np.where(seen[:, None, :], later, 0.0)


@dataclass(frozen=True, kw_only=True)
class Regime(Truth):
    """Some hours after an extra series was published above a level volatility is higher, until its next value."""

    kind = "regime"
    name: str
    level: float
    hours: int
    height: float

    @classmethod
    def draw(cls, rng: np.random.Generator, assets: tuple[str, ...]) -> Regime:
        return cls(
            name="funding",
            level=float(rng.uniform(0.0, 0.6)),
            hours=int(rng.integers(6, 17)),
            height=float(rng.uniform(0.7, 0.9)),
        )

    def multiplier(self, known: Known) -> Floats:
        late = _delayed(known.last(self.name), 1 + round(self.hours * HOUR / known.step))
        return np.repeat(np.where(late > self.level, self.height, 0.0)[:, None], len(known.assets), axis=1)

    def foretold(self, known: Known, truth: Floats, rows: Rows, ends: Times) -> Floats:
        """What was published decides the next hours; after that the mean is all that can be said."""
        later, ahead = _later(known, truth, ends), ends - known.times[rows][:, None]
        return np.where((ahead <= self.hours * HOUR)[:, None, :], later, truth.mean())


FUNDING_DECAY = 0.4  # of what every eight hours of it leave
TRUTHS: dict[str, type[Truth]] = {truth.kind: truth for truth in (Nothing, Bursts, Cycle, Schedule, LeadLag, Regime)}


def extra_series(rng: np.random.Generator, start: int, end: int) -> dict[str, Published]:
    """Draw the series that every world has, whatever is planted in it: funding, and a schedule of three names."""
    times = np.arange(start, end, 8 * HOUR, dtype=np.int64)
    shocks = rng.standard_normal(len(times)) * np.sqrt(1 - FUNDING_DECAY**2)
    funding = np.zeros(len(times))
    for n in range(1, len(times)):
        funding[n] = FUNDING_DECAY * funding[n - 1] + shocks[n]
    series: dict[str, Published] = {"funding": (times, funding)}
    for name in _KINDS:
        gaps = rng.integers(12, 60, (end - start) // (20 * HOUR)) * HOUR + rng.integers(0, 12) * 300
        due = start + np.cumsum(gaps)
        due = due[due < end]
        series[name] = (due - 14 * DAY, due.astype(np.float64))
    return series

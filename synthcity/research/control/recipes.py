"""Inputs as data: a kind and its numbers, which packaged code turns into columns."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from synthcity.durations import HOUR, MINUTE
from synthcity.errors import ConfigError, unknown_name
from synthcity.market.bars import Floats, Times
from synthcity.market.calendar.clock import weekday_and_second
from synthcity.research.inputs import Rows
from synthcity.research.known import Known
from synthcity.schema import build

_LEAST = 0.05  # of the usual movement, so that a still hour has a logarithm


@dataclass(frozen=True, kw_only=True)
class Recipe(ABC):
    """One input of the grammar; equal recipes are equal inputs."""

    kind: ClassVar[str]

    @property
    def name(self) -> str:
        numbers = ",".join(_short(value) for value in asdict(self).values())
        return f"{self.kind}({numbers})"

    def past(self, known: Known, rows: Rows) -> Floats:
        """Return (rows, assets, p); see ``Input.past``."""
        return np.zeros((len(rows), len(known.assets), 0))

    @abstractmethod
    def future(self, known: Known, rows: Rows, ends: Times) -> Floats:
        """Return (rows, assets, steps, q); see ``Input.future``."""

    def to_dict(self) -> dict[str, Any]:
        """Return plain data that ``recipe_of`` reads back."""
        return {"kind": self.kind, **{key: _plain(value) for key, value in asdict(self).items()}}


def _short(value: object) -> str:
    if isinstance(value, tuple):
        return "+".join(map(str, value)) or "all"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _for_all(known: Known, values: Floats) -> Floats:
    """The same covariates (rows, steps, q) for every asset."""
    wide = np.broadcast_to(values[:, None], (len(values), len(known.assets), *values.shape[1:]))
    return np.asarray(wide)


def _nothing(known: Known, ends: Times) -> Floats:
    return np.zeros((len(ends), len(known.assets), ends.shape[1], 0))


@dataclass(frozen=True, kw_only=True)
class Cycle(Recipe):
    """Harmonics of a period."""

    kind = "cycle"
    hours: float
    harmonics: int

    def future(self, known: Known, rows: Rows, ends: Times) -> Floats:
        turn = 2 * np.pi * ((ends - known.step / 2) / (self.hours * HOUR))
        waves = [wave(n * turn) for n in range(1, self.harmonics + 1) for wave in (np.cos, np.sin)]
        return _for_all(known, np.stack(waves, axis=-1))


@dataclass(frozen=True, kw_only=True)
class Marks(Recipe):
    """Steps that begin in some five minutes of the hour, in some hours of the day, on some days of the week.

    ``hours`` and ``weekdays`` may be empty, for all of them; Monday is 0.
    """

    kind = "marks"
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    weekdays: tuple[int, ...]

    def future(self, known: Known, rows: Rows, ends: Times) -> Floats:
        begins = ends - known.step
        weekday, second = weekday_and_second(begins)
        inside = np.ones(ends.shape, dtype=np.bool_)
        for chosen, value in (
            (self.minutes, begins % HOUR // MINUTE // 5 * 5),
            (self.hours, second // HOUR),
            (self.weekdays, weekday),
        ):
            if chosen:
                inside &= np.isin(value, chosen)
        return _for_all(known, inside[..., None].astype(np.float64))


@dataclass(frozen=True, kw_only=True)
class Follows(Recipe):
    """The movement of one asset over ``span`` hours, some hours before each step, for all the others."""

    kind = "follows"
    leader: str
    hours: float
    span: float

    def future(self, known: Known, rows: Rows, ends: Times) -> Floats:
        log = log_level(known, self.leader, self.span)
        at = (ends - known.times[0]) // known.step - round(self.hours * HOUR / known.step)
        seen = (at <= rows[:, None]) & (at >= 0)
        late = np.where(seen, log[np.clip(at, 0, len(log) - 1)], 0.0)
        others = np.array([asset != self.leader for asset in known.assets])
        return np.asarray(np.nan_to_num(late)[:, None, :, None] * others[:, None, None])


@dataclass(frozen=True, kw_only=True)
class Ratio(Recipe):
    """The logarithm of an asset's own movement over a short span against a long one."""

    kind = "ratio"
    short_hours: float
    long_hours: float

    def past(self, known: Known, rows: Rows) -> Floats:
        logs = [
            log_level(known, asset, self.short_hours) - log_level(known, asset, self.long_hours)
            for asset in known.assets
        ]
        return np.stack([log[rows] for log in logs], axis=1)[..., None]

    def future(self, known: Known, rows: Rows, ends: Times) -> Floats:
        return _nothing(known, ends)


@dataclass(frozen=True, kw_only=True)
class Level(Recipe):
    """An extra series some hours before each step: its value, and whether it is above ``above`` of its own past."""

    kind = "level"
    series: str
    hours: float
    above: float

    def future(self, known: Known, rows: Rows, ends: Times) -> Floats:
        published, values = known.series[self.series]
        now = known.times[rows][:, None]
        when = np.minimum(ends - known.step - round(self.hours * HOUR), now)
        at = np.searchsorted(published, when, side="right") - 1
        value = np.append(values, np.nan)[at]
        bar = pd.Series(values).expanding(20).quantile(self.above).to_numpy()
        is_above = np.where(np.isnan(value), np.nan, value > np.append(bar, np.nan)[at])
        return _for_all(known, np.stack([value, is_above], axis=-1))


@dataclass(frozen=True, kw_only=True)
class After(Recipe):
    """What ebbs, from each time that a schedule has announced, with a half-life."""

    kind = "after"
    series: str
    half_life_hours: float

    def future(self, known: Known, rows: Rows, ends: Times) -> Floats:
        published, due = known.series[self.series]
        begins, now = ends - known.step, known.times[rows]
        found = np.zeros(ends.shape)
        for announced, time in zip(published, due, strict=True):
            since = (begins - time) / HOUR
            told = (announced <= now)[:, None] & (since >= 0) & (since < 10 * self.half_life_hours)
            found += np.where(told, 0.5 ** (np.maximum(since, 0.0) / self.half_life_hours), 0.0)
        return _for_all(known, found[..., None])


RECIPES: Mapping[str, type[Recipe]] = {kind.kind: kind for kind in (Cycle, Marks, Follows, Ratio, Level, After)}


def recipe_of(data: Mapping[str, Any]) -> Recipe:
    """Read what ``Recipe.to_dict`` wrote.

    Raises:
        ConfigError: there is no such recipe.
    """
    kind = str(data.get("kind"))
    if kind not in RECIPES:
        raise ConfigError(unknown_name("recipe", kind, RECIPES))
    return build(RECIPES[kind], {key: value for key, value in data.items() if key != "kind"}, where="the recipe")


def is_schedule(known: Known, name: str) -> bool:
    """Whether a series announces times instead of telling values."""
    published, values = known.series[name]
    return bool(len(values) and (values >= published).all() and values[0] > 1e9)


def log_level(known: Known, asset: str, hours: float) -> Floats:
    """Log of the mean absolute return over some hours up to each row, in units of all before it, (n,)."""
    size = np.abs(known.returns(asset))
    count = max(1, round(hours * HOUR / known.step))
    mean = pd.Series(size).rolling(count, min_periods=max(1, count // 2)).mean().to_numpy()
    usual = pd.Series(size).expanding(1).mean().to_numpy()  # up to each row: an asset may have come later
    return np.asarray(np.log(mean / usual + _LEAST))

"""Random recipes, and small changes to good ones: what chance finds, so that a model's finds can be held against it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from synthcity.research.control.recipes import After, Cycle, Follows, Level, Marks, Ratio, Recipe, is_schedule
from synthcity.research.known import Known

_CHANGED = 0.5  # of the draws change one of the best, where there are any
_TRIES = 50


class Grammar:
    """Draws recipes that fit what is known; never the same one twice."""

    def __init__(self, known: Known, seed: int) -> None:
        self._assets = known.assets
        self._schedules = [name for name in known.series if is_schedule(known, name)]
        self._levels = [name for name in known.series if name not in self._schedules]
        self._rng = np.random.default_rng([seed, 3])
        self._drawn: set[Recipe] = set()

    def draw(self, best: Sequence[Recipe] = ()) -> Recipe:
        """Draw a new recipe, or a change to one of ``best``."""
        for _ in range(_TRIES):
            if best and self._rng.random() < _CHANGED:
                found = self._changed(best[int(self._rng.integers(len(best)))])
            else:
                found = self._new()
            if found not in self._drawn:
                break
        self._drawn.add(found)
        return found

    def _new(self) -> Recipe:
        rng, kinds = self._rng, ["cycle", "marks", "ratio"]
        kinds += ["follows"] * (len(self._assets) > 1) + ["level"] * bool(self._levels)
        kinds += ["after"] * bool(self._schedules)
        match str(rng.choice(kinds)):
            case "cycle":
                hours = float(rng.integers(2, 200)) if rng.random() < 0.7 else float(rng.integers(3, 144)) / 12
                return Cycle(hours=hours, harmonics=int(rng.integers(1, 4)))
            case "marks":
                return self._marks()
            case "follows":
                return Follows(
                    leader=str(rng.choice(self._assets)), hours=self._span(0.5, 24), span=self._span(0.25, 4)
                )
            case "ratio":
                short = self._span(0.25, 24)
                return Ratio(short_hours=short, long_hours=short * float(rng.integers(2, 20)))
            case "level":
                return Level(
                    series=str(rng.choice(self._levels)), hours=self._span(0.5, 30), above=_tidy(rng.uniform(0.2, 0.9))
                )
            case _:
                return After(series=str(rng.choice(self._schedules)), half_life_hours=self._span(0.1, 24))

    def _marks(self) -> Marks:
        rng = self._rng
        minutes = tuple(int(m) for m in np.sort(5 * rng.choice(12, rng.integers(1, 4), replace=False)))
        hours = tuple(int(h) for h in np.sort(rng.choice(24, rng.integers(1, 7), replace=False)))
        days = tuple(int(d) for d in np.sort(rng.choice(7, rng.integers(1, 4), replace=False)))
        which = rng.random(3) < (0.7, 0.3, 0.6)
        if not which.any():
            which[2] = True
        return Marks(
            minutes=minutes if which[0] else (), hours=hours if which[1] else (), weekdays=days if which[2] else ()
        )

    def _changed(self, recipe: Recipe) -> Recipe:
        rng = self._rng
        match recipe:
            case Cycle():
                return replace(recipe, hours=max(0.25, recipe.hours + float(rng.choice((-2, -1, -0.5, 0.5, 1, 2)))))
            case Marks():
                return self._other_marks(recipe)
            case Follows():
                return replace(recipe, hours=self._near(recipe.hours), span=self._near(recipe.span))
            case Ratio():
                return replace(recipe, short_hours=self._near(recipe.short_hours))
            case Level():
                above = _tidy(np.clip(recipe.above + rng.normal(0, 0.1), 0.05, 0.95))
                return replace(recipe, hours=self._near(recipe.hours), above=above)
            case After():
                return replace(recipe, half_life_hours=self._near(recipe.half_life_hours))
        raise AssertionError(recipe)

    def _other_marks(self, recipe: Marks) -> Marks:
        other = self._marks()
        field = str(self._rng.choice(("minutes", "hours", "weekdays")))
        found = replace(recipe, **{field: getattr(other, field)})
        return found if found.minutes or found.hours or found.weekdays else other

    def _span(self, low: float, high: float) -> float:
        return _tidy(np.exp(self._rng.uniform(np.log(low), np.log(high))))

    def _near(self, value: float) -> float:
        return _tidy(value * np.exp(self._rng.normal(0, 0.25)))


def _tidy(value: float) -> float:
    """Three digits: enough, and short to read."""
    return float(f"{value:.3g}")

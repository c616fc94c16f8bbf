"""What the baseline left unexplained, before the confirming fold: the material of every look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthcity.durations import HOUR, MINUTE
from synthcity.market.bars import Floats, Times
from synthcity.market.calendar.clock import weekday_and_second
from synthcity.research.inputs import Rows
from synthcity.research.measuring import chance
from synthcity.research.measuring.cases import Cases

KEYS = ("asset", "minute", "hour", "weekday", "lead_hours", "month")
_LARGE = 3.0
_FINE = 4  # frequencies for each that the time that was seen tells apart
_NEAR = 40  # of those on either side of a peak make its neighbours
_DISTINCT = 2.0  # of those lie between two peaks
_BESIDE = 3  # hours
_FIRST = 8  # hours: the memory of volatility bends the lags before it
_WEEK_PARTS = 3  # by which a week is known as one; the seventh is a day


@dataclass(frozen=True, eq=False, kw_only=True)
class Residuals:
    """Absolute returns in units of what was expected, over their mean by asset: 1 is as expected.

    ``steps`` has a row a step and prompt: ``asset``, ``end`` (unix s), ``lead_hours`` and ``size``. ``times`` (n,) and
    ``grid`` (n, assets) hold the means over all prompts at each end of a step, NaN where there was none. Prompts start
    every ``spacing`` seconds.
    """

    assets: tuple[str, ...]
    step: int
    spacing: int
    steps: pd.DataFrame
    times: Times
    grid: Floats

    @classmethod
    def of(cls, cases: Cases, before: int) -> Residuals:
        """Take the cases that are over by ``before``; nothing later is in what is returned."""
        over = cases.start + cases.horizon * cases.step <= before
        moves = cases.moves(over)
        usual = np.ones(len(cases.assets))
        for which in range(len(cases.assets)):
            own = moves[cases.asset[over] == which]
            if np.isfinite(own).any():
                usual[which] = np.nanmean(own)
        ends = cases.start[over][:, None] + cases.step * np.arange(1, cases.horizon + 1)
        shape = moves.shape
        steps = pd.DataFrame(
            {
                "asset": np.broadcast_to(np.array(cases.assets)[cases.asset[over]][:, None], shape).ravel(),
                "end": ends.ravel(),
                "lead_hours": np.broadcast_to((np.arange(shape[1]) * cases.step) // HOUR, shape).ravel(),
                "size": (moves / usual[cases.asset[over]][:, None]).ravel(),
            }
        ).dropna()
        table = steps.groupby(["end", "asset"])["size"].mean().unstack("asset").reindex(columns=list(cases.assets))
        times = np.arange(table.index[0], table.index[-1] + 1, cases.step, dtype=np.int64)
        grid = table.reindex(times).to_numpy(dtype=np.float64)
        starts = np.unique(cases.start[over])
        spacing = int(np.median(np.diff(starts))) if len(starts) > 1 else 0
        return cls(assets=cases.assets, step=cases.step, spacing=spacing, steps=steps, times=times, grid=grid)

    def by(self, keys: Sequence[str]) -> tuple[pd.DataFrame, float]:
        """Return mean size, z value, share of large ones and count, by one or two of ``KEYS``, and the level of |z|.

        z is of the log of the sizes against its mean by asset: a few blocks of very large sizes would make whatever is
        quiet look sure. See ``chance.by_flips``; it is NaN where there are too few days.
        """
        size = self.steps["size"]
        groups = pd.DataFrame({**self._keys(keys), "size": size, "large": size > _LARGE}).groupby(list(keys))
        found = pd.DataFrame(
            {"mean": groups["size"].mean(), "above_3": groups["large"].mean(), "count": groups["size"].size()}
        )
        found["z"], level = chance.by_flips(*self.blocks(keys)[1:])
        return found, level

    def blocks(self, keys: Sequence[str]) -> tuple[pd.Index, Floats, Floats]:
        """Return the groups of ``by`` and, by group and block of days, sums of the log and counts, (groups, blocks)."""
        groups = pd.DataFrame(self._keys(keys)).groupby(list(keys))
        index = groups.size().index
        end = self.steps["end"].to_numpy()
        block = (end - end.min()) // chance.BLOCK
        log = np.log(self.steps["size"] + 0.1)
        log -= log.groupby(self.steps["asset"]).transform("mean")
        sums, counts = np.zeros((2, len(index), int(block.max()) + 1))
        at = (groups.ngroup().to_numpy(), block)
        np.add.at(sums, at, log.to_numpy())
        np.add.at(counts, at, 1.0)
        return index, sums, counts

    def _keys(self, keys: Sequence[str]) -> Mapping[str, object]:
        begins = self.steps["end"].to_numpy() - self.step
        weekday, second = weekday_and_second(begins)
        columns: Mapping[str, object] = {
            "asset": self.steps["asset"],
            "minute": begins % HOUR // MINUTE,
            "hour": second // HOUR,
            "weekday": weekday,
            "lead_hours": self.steps["lead_hours"],
            "month": pd.to_datetime(self.steps["end"], unit="s").dt.strftime("%Y-%m"),
        }
        return {key: columns[key] for key in keys}

    def hourly(self) -> tuple[Times, Floats]:
        """Return the ends of hours (h,) and the mean residual of each, (h, assets), 1 where nothing was seen."""
        per = max(1, HOUR // self.step)
        count = len(self.times) // per
        mean = _mean(self.grid[: count * per].reshape(count, per, -1), axis=1)
        return self.times[per - 1 : count * per : per], np.where(np.isnan(mean), 1.0, mean)

    def together(self) -> Floats:
        """Return the mean residual of all assets at each of ``times``, (n,), NaN where there was none."""
        return _mean(self.grid, axis=1)

    def peaks(self, low_hours: float, high_hours: float, most: int = 10) -> tuple[pd.DataFrame, float]:
        """Return the strongest distinct periods between two bounds, and the level of their height.

        The series is the log of the mean residual of all assets. A peak is distinct where the time that was seen tells
        it from a stronger one. Its strength is in standard errors of a cosine; its height is the strength over the
        median of its neighbours, since at long periods chance is stronger. ``known`` says of what period it is a part.

        Returns:
            ``hours``, ``strength``, ``height`` and ``known``, strongest by height first, and ``chance.of_peaks``.
        """
        series = _mean(np.log(self.grid + 0.1), axis=1)
        seen = np.isfinite(series)
        value = np.where(seen, series - series[seen].mean(), 0.0)
        hours_seen = len(value) * self.step / HOUR
        size = _FINE * len(value)
        turns = np.arange(1, size // 2) * HOUR / (size * self.step)  # per hour
        power = np.abs(np.fft.rfft(value, size))[1 : size // 2] / np.sqrt(seen.sum() / 2) / series[seen].std()
        usual = pd.Series(power).rolling(2 * _FINE * _NEAR + 1, center=True, min_periods=_FINE * _NEAR).median()
        height = power / usual.to_numpy()
        inside = np.flatnonzero((turns >= 1 / high_hours) & (turns <= 1 / low_hours))
        found: list[int] = []
        for at in inside[np.argsort(-height[inside])]:
            if all(abs(turns[at] - turns[other]) > _DISTINCT / hours_seen for other in found):
                found.append(int(at))
            if len(found) == most:
                break
        table = pd.DataFrame(
            {
                "hours": 1 / turns[found],
                "strength": power[found],
                "height": height[found],
                "known": [self._known(turns[at], 1 / hours_seen) for at in found],
            }
        )
        return table, chance.of_peaks(hours_seen * (1 / low_hours - 1 / high_hours))

    def _known(self, turns: float, apart: float) -> str:
        """Name the period of which this one, ``turns`` an hour, is a whole part: what is no find."""
        for name, hours in (("day", 24.0), ("week", 168.0), ("spacing of prompts", self.spacing / HOUR)):
            parts = round(turns * hours)
            if 1 <= parts <= (_WEEK_PARTS if name == "week" else 1_000) and abs(turns - parts / hours) < apart:
                return name if parts == 1 else f"{name}/{parts}"
        return ""

    def phases(self, hours: float, parts: int = 8) -> pd.DataFrame:
        """Return the mean residual by parts of a cycle since 1970: of the first and second half, and of each asset."""
        turn = (self.times - self.step) / (hours * HOUR) % 1
        part = np.floor(turn * parts).astype(int)
        late = self.times > (self.times[0] + self.times[-1]) / 2
        together = self.together()
        columns = {"first_half": np.where(late, np.nan, together), "second_half": np.where(late, together, np.nan)}
        columns |= {asset: self.grid[:, which] for which, asset in enumerate(self.assets)}
        return pd.DataFrame(columns).groupby(part).mean().reindex(range(parts))

    def lagged(self, asset: str, other: Floats, lags_hours: Sequence[int]) -> tuple[pd.DataFrame, float, float]:
        """Return the correlation of an asset's hourly log residual with ``other`` (h,) so many hours before.

        Returns:
            By lag ``correlation`` and ``bump``, by how much it is above the mean of those three hours off on either
            side, NaN below eight hours; and the levels of the largest of either, see ``chance.by_turns``.
        """
        log = np.log(self.hourly()[1][:, self.assets.index(asset)] + 0.1)
        products = chance.turned(_centred(log), _centred(other)) / len(log)
        bumps = products - (np.roll(products, _BESIDE) + np.roll(products, -_BESIDE)) / 2
        far = [lag for lag in lags_hours if lag >= _FIRST]
        lags = list(lags_hours)
        table = pd.DataFrame({"correlation": products[lags], "bump": bumps[lags]}, index=lags)
        table.loc[table.index < _FIRST, "bump"] = np.nan
        level = chance.by_turns(bumps, chance.PER_DAY, far) if far else np.inf
        return table, chance.by_turns(products, chance.PER_DAY, lags), level

    def correlated(self, values: Floats, lags_hours: Sequence[int]) -> tuple[Floats, float]:
        """Return the correlation of all assets' hourly log residual with ``values`` (h,) at each lag, and its level."""
        log = np.log(_mean(self.hourly()[1], axis=1) + 0.1)
        products = chance.turned(_centred(log), _centred(values)) / len(log)
        return products[list(lags_hours)], chance.by_turns(products, chance.PER_DAY, lags_hours)

    def binned(self, bins: Rows, num: int, lags: Sequence[int], per_day: int) -> tuple[Floats, float]:
        """Return how the log residual of all assets in each bin differs from its mean, as z, and the level of |z|.

        z takes rows for independent; the level does not.

        Args:
            bins: which of ``num`` each row is in, (n,), -1 for none; rows are ``times``, or hours of 24 a day.
            num: bins.
            lags: rows before.
            per_day: rows a day.

        Returns:
            (lags, num) and the level.
        """
        mean = _mean(self.hourly()[1], axis=1) if per_day == chance.PER_DAY else self.together()
        seen = np.isfinite(mean)
        value = _centred(np.log(mean + 0.1))
        member = (bins[:, None] == np.arange(num)).astype(np.float64)
        sums = chance.turned(value[:, None], member)
        counts = chance.turned(seen[:, None].astype(np.float64), member)
        z = sums / np.sqrt(np.maximum(counts, 1.0))
        return z[list(lags)], chance.by_turns(z, per_day, lags)


def _centred(values: Floats) -> Floats:
    """Return values (n,) in standard deviations from their mean, 0 where there is none."""
    seen = np.isfinite(values)
    spread = values[seen].std()
    return np.where(seen, (values - values[seen].mean()) / (spread if spread > 0 else np.inf), 0.0)


def _mean(values: Floats, axis: int) -> Floats:
    """Mean of what is there, NaN where nothing is."""
    seen = np.isfinite(values)
    total, count = np.where(seen, values, 0.0).sum(axis=axis), seen.sum(axis=axis)
    mean: Floats = np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)
    return mean

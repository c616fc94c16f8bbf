"""What the baseline left unexplained, before the confirming fold: the material of every look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthcity.durations import HOUR, MINUTE
from synthcity.market.bars import Floats, Times
from synthcity.market.calendar.clock import weekday_and_second
from synthcity.research.measuring.cases import Cases

KEYS = ("asset", "minute", "hour", "weekday", "lead_hours", "month")
_LARGE = 3.0


@dataclass(frozen=True, eq=False, kw_only=True)
class Residuals:
    """Absolute returns in units of what was expected, over their mean by asset: 1 is as expected.

    ``steps`` has a row a step and prompt: ``asset``, ``end`` (unix s), ``lead_hours`` and ``size``. ``times`` (n,) and
    ``grid`` (n, assets) hold the means over all prompts at each end of a step, NaN where there was none.
    """

    assets: tuple[str, ...]
    step: int
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
        return cls(assets=cases.assets, step=cases.step, steps=steps, times=times, grid=grid)

    def by(self, keys: Sequence[str]) -> pd.DataFrame:
        """Return mean size, its z value, the share of large ones and the count, by one or two of ``KEYS``."""
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
        frame = pd.DataFrame({**{key: columns[key] for key in keys}, "size": self.steps["size"]})
        groups = frame.groupby(list(keys))["size"]
        found = pd.DataFrame({"mean": groups.mean(), "count": groups.size()})
        found["z"] = (found["mean"] - 1) / (groups.std() / np.sqrt(found["count"]))
        found["above_3"] = frame.assign(large=frame["size"] > _LARGE).groupby(list(keys))["large"].mean()
        return found

    def hourly(self) -> tuple[Times, Floats]:
        """Return the ends of hours (h,) and the mean residual of each, (h, assets), 1 where nothing was seen."""
        per = max(1, HOUR // self.step)
        count = len(self.times) // per
        mean = _mean(self.grid[: count * per].reshape(count, per, -1), axis=1)
        return self.times[per - 1 : count * per : per], np.where(np.isnan(mean), 1.0, mean)

    def together(self) -> Floats:
        """Return the mean residual of all assets at each of ``times``, (n,), NaN where there was none."""
        return _mean(self.grid, axis=1)

    def powers(self, low_hours: float, high_hours: float) -> pd.Series:
        """Return the strength of a cosine of each period, in standard errors, by hours: 200 periods between two bounds.

        The series is the log of the mean residual of all assets. It has memory, so that chance is stronger at long
        periods: what stands out does so over the median of its band.
        """
        series = _mean(np.log(self.grid + 0.1), axis=1)
        seen = np.isfinite(series)
        value, time = series[seen] - series[seen].mean(), self.times[seen]
        hours = np.exp(np.linspace(np.log(low_hours), np.log(high_hours), 200))
        if high_hours >= 10:
            hours = np.unique(np.concatenate([hours, np.arange(np.ceil(low_hours), np.floor(high_hours) + 1)]))
        turn = 2 * np.pi * time[None, :] / (hours[:, None] * HOUR)
        size = np.hypot(np.cos(turn) @ value, np.sin(turn) @ value) / np.sqrt(len(value) / 2)
        return pd.Series(size / value.std(), index=hours)

    def phases(self, hours: float, parts: int = 8) -> pd.DataFrame:
        """Return the mean residual by parts of a cycle since 1970: of the first and second half, and of each asset."""
        turn = (self.times - self.step) / (hours * HOUR) % 1
        part = np.floor(turn * parts).astype(int)
        late = self.times > (self.times[0] + self.times[-1]) / 2
        together = self.together()
        columns = {"first_half": np.where(late, np.nan, together), "second_half": np.where(late, together, np.nan)}
        columns |= {asset: self.grid[:, which] for which, asset in enumerate(self.assets)}
        return pd.DataFrame(columns).groupby(part).mean().reindex(range(parts))

    def lagged(self, asset: str, other: Floats, lags_hours: Sequence[int]) -> dict[int, float]:
        """Return the correlation of an asset's hourly log residual with ``other`` (h,) so many hours before, 0 to h."""
        log = np.log(self.hourly()[1][:, self.assets.index(asset)] + 0.1)
        found = {}
        for lag in lags_hours:
            now, before = log[lag:], other[: len(other) - lag]
            both = np.isfinite(now) & np.isfinite(before)
            enough = both.sum() > 30 and np.ptp(before[both]) > 0
            found[lag] = float(np.corrcoef(now[both], before[both])[0, 1]) if enough else 0.0
        return found


def _mean(values: Floats, axis: int) -> Floats:
    """Mean of what is there, NaN where nothing is."""
    seen = np.isfinite(values)
    total, count = np.where(seen, values, 0.0).sum(axis=axis), seen.sum(axis=axis)
    mean: Floats = np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)
    return mean

"""Looks: read-only, bounded, of the prompts before the confirming fold, and counted."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import pandas as pd

from synthcity.agents.tools import ToolRegistry
from synthcity.durations import HOUR
from synthcity.market.times import format_time
from synthcity.research.control.recipes import is_schedule, log_level
from synthcity.research.measuring.residuals import KEYS
from synthcity.research.model.desk import ROLE, Desk
from synthcity.research.model.tables import bounded

TOOLS = ToolRegistry()
_LONGEST = 500  # hours of a lag


@TOOLS.tool(ROLE)
def look_residuals(context: Desk, by: list[str]) -> str:
    """Mean absolute return in units of what the baseline expected (1 is as expected), by one or two keys.

    Rows come with their z value, the share above 3, and the count of steps; the largest z, either sign, first. z takes
    steps for independent; those of one day share its shocks, so z of days and months is several times too large.

    Args:
        by: one or two of asset, minute (the step's beginning within the hour), hour (UTC), weekday (Monday is 0),
            lead_hours (since the start of the prompt), month.
    """
    if not 1 <= len(by) <= 2 or not set(by) <= set(KEYS) or len(set(by)) < len(by):
        raise ValueError(f"by takes one or two different keys of {', '.join(KEYS)}, got {by}")
    context.look(f"residuals by {' and '.join(by)}")
    table = context.residuals.by(by)
    table = table.reindex(table["z"].abs().sort_values(ascending=False).index)
    rows = [
        (_key(key), f"{mean:.3f}\t{z:+.1f}\t{above:.3f}\t{count:.0f}")
        for key, mean, count, z, above in table.itertuples(name=None)
    ]
    return bounded(f"{' '.join(by)}\tmean\tz\tabove_3\tcount", rows)


@TOOLS.tool(ROLE)
def look_periods(
    context: Desk,
    low_hours: Annotated[float, {"minimum": 0.2, "maximum": 500}],
    high_hours: Annotated[float, {"minimum": 0.3, "maximum": 1000}],
) -> str:
    """Strength of cycles in the log residual of all assets together: the ten strongest periods between two bounds.

    Residuals have memory: at long periods up to four times the median of all is common by chance.

    Args:
        low_hours: the shortest period.
        high_hours: the longest period.
    """
    if low_hours >= high_hours:
        raise ValueError(f"low_hours must be below high_hours, got {low_hours} and {high_hours}")
    context.look(f"periods of {low_hours:g} to {high_hours:g} hours")
    powers = context.residuals.powers(low_hours, high_hours).sort_values(ascending=False)
    rows = [(f"{hours:.2f}", f"{strength:.1f}") for hours, strength in powers.head(10).items()]
    return bounded(f"hours\tstrength (median of all {powers.median():.1f})", rows)


@TOOLS.tool(ROLE)
def look_phase(context: Desk, hours: Annotated[float, {"minimum": 0.5, "maximum": 500}]) -> str:
    """Mean residual by eighths of a cycle, for the first and second half of what is seen, and by asset.

    What is real is there in both halves; what only some assets have shows in their columns.

    Args:
        hours: the period; the cycle begins at unix second 0.
    """
    context.look(f"phases of {hours:g} hours")
    table = context.residuals.phases(hours)
    rows = [(f"{part}/8", "\t".join(f"{mean:.3f}" for mean in means)) for part, *means in table.itertuples(name=None)]
    return bounded("\t".join(["from", *map(str, table.columns)]), rows)


@TOOLS.tool(ROLE)
def look_lags(context: Desk, asset: str, other: str, lags_hours: list[float]) -> str:
    """Correlation of an asset's hourly log residual with the log movement of another asset, or its own, hours before.

    Args:
        asset: whose residual.
        other: whose movement; the same asset gives the autocorrelation.
        lags_hours: 1 to 48 lags in whole hours, 1 to 500, such as 1, 2, 3.
    """
    context.asset(asset), context.asset(other)
    times, _ = context.residuals.hourly()
    lags = [round(lag) for lag in _lags(lags_hours, 48, least=1, most=min(_LONGEST, len(times) - 1), whole=True)]
    context.look(f"lags of {asset} behind {other}")
    rows = (times - context.known.times[0]) // context.known.step
    moves = log_level(context.known, other, 1.0)[rows]
    found = context.residuals.lagged(asset, moves, lags)
    noise = 1 / np.sqrt(len(times))
    told = [(f"{lag:g}", f"{value:+.3f}") for lag, value in found.items()]
    return bounded(f"lag hours\tcorrelation (chance alone: {noise:.3f})", told, 48)


@TOOLS.tool(ROLE)
def look_series(context: Desk, name: str, lags_hours: list[float]) -> str:
    """Describe an extra series and how residuals go with it.

    For a series of values: the mean residual by fifths of the value that was the last one some hours before. For a
    schedule, whose values are unix seconds at which something is due: the mean residual by hours since the last due.

    Args:
        name: of the series.
        lags_hours: 1 to 12 lags for a series of values, 0 to 500; not used for a schedule.
    """
    published, values = context.known.series[context.series(name)]
    if not len(values):
        raise ValueError(f"nothing of {name} was published before the folds for finding ended")
    is_due = is_schedule(context.known, name)
    lags = [] if is_due else _lags(lags_hours, 12, least=0, most=_LONGEST)
    context.look(f"the series {name}")
    residuals = context.residuals
    size = residuals.together()
    seen = np.isfinite(size)
    every = np.median(np.diff(published)) / HOUR if len(published) > 1 else 0.0
    head = f"{name}: {len(values)} values, published every {every:.1f} hours (median)"
    if is_due:
        due = np.sort(values)
        begins = residuals.times - residuals.step
        at = np.searchsorted(due, begins, side="right") - 1
        since = np.where(at >= 0, begins - due[np.maximum(at, 0)], np.nan) / HOUR
        edges = [0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 48.0]
        rows = _bins(since[seen], size[seen], edges)
        ahead = np.median(values - published) / HOUR
        first = ", ".join(format_time(int(time)) for time in due[:6])
        return bounded(f"{head}, due {ahead:.0f} hours after (first: {first})\nhours since\tmean\tz\tcount", rows)
    lines = [f"{head}; fifths at {np.quantile(values, [0, 0.2, 0.4, 0.6, 0.8, 1]).round(4).tolist()}"]
    for lag in lags:
        at = np.searchsorted(published, residuals.times - residuals.step - lag * HOUR, side="right") - 1
        value = np.where(at >= 0, values[np.maximum(at, 0)], np.nan)
        rows = _bins(value[seen], size[seen], list(np.quantile(values, [0, 0.2, 0.4, 0.6, 0.8, 1])))
        lines.append(f"{lag:g} hours before: " + "; ".join(text.replace("\t", " ") for _, text in rows))
    return "\n".join(lines) + "\n(mean, z, count by fifth)"


def _lags(given: list[float], count: int, *, least: int, most: int, whole: bool = False) -> list[float]:
    """Return lags as they are, once all can be answered."""
    word = "whole hours" if whole else "hours"
    if not given or len(given) > count:
        raise ValueError(f"lags_hours takes 1 to {count} lags, got {len(given)}")
    if wrong := [lag for lag in given if not least <= lag <= most or (whole and lag != round(lag))]:
        raise ValueError(f"a lag is {word} from {least} to {most}, got {', '.join(f'{lag:g}' for lag in wrong)}")
    return given


def _key(key: object) -> str:
    return " ".join(map(str, key)) if isinstance(key, tuple) else str(key)


def _bins(value: np.ndarray, size: np.ndarray, edges: list[float]) -> list[tuple[str, str]]:
    """Mean, z value and count of ``size`` by bins of ``value``."""
    frame = pd.DataFrame({"size": size, "bin": pd.cut(value, sorted(set(edges)), include_lowest=True)}).dropna()
    rows = []
    for name, own in frame.groupby("bin", observed=True)["size"]:
        error = own.std() / np.sqrt(len(own)) if len(own) > 1 else np.inf
        rows.append((str(name), f"{own.mean():.3f}\t{(own.mean() - 1) / error:+.1f}\t{len(own)}"))
    return rows

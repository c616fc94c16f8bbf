"""Looks: read-only, bounded, of the prompts before the confirming fold, and counted."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from synthcity.agents.tools import ToolRegistry
from synthcity.research.control.recipes import is_schedule, log_level
from synthcity.research.measuring import chance
from synthcity.research.measuring.residuals import KEYS
from synthcity.research.model.desk import ROLE, Desk
from synthcity.research.model.series import SCANNED, look_at_schedule, look_at_values
from synthcity.research.model.tables import bounded

TOOLS = ToolRegistry()
_LONGEST = 500  # hours of a lag


@TOOLS.tool(ROLE)
def look_residuals(context: Desk, by: list[str]) -> str:
    """Mean absolute return in units of what the baseline expected (1 is as expected), by one or two keys.

    Rows come with their z value, the share above 3, and the count of steps; the largest z, either sign, first. z is of
    the log, and takes blocks of two days, not steps, for independent. The header tells what chance does: in 95 of 100
    looks at a market that the baseline knows, the largest |z| of all rows stays below it; of months in 85, since what
    moves them lasts. The baseline leaves a little of the hour and of the lead, which is above that level and no find.

    Args:
        by: one or two of asset, minute (the step's beginning within the hour), hour (UTC), weekday (Monday is 0),
            lead_hours (since the start of the prompt), month.
    """
    if not 1 <= len(by) <= 2 or not set(by) <= set(KEYS) or len(set(by)) < len(by):
        raise ValueError(f"by takes one or two different keys of {', '.join(KEYS)}, got {by}")
    context.look(f"residuals by {' and '.join(by)}")
    table, level = context.residuals.by(by)
    table = table.reindex(table["z"].abs().sort_values(ascending=False).index)
    rows = [
        (_key(key), f"{mean:.3f}\t{'-' if np.isnan(z) else f'{z:+.1f}'}\t{above:.3f}\t{count:.0f}")
        for key, mean, above, count, z in table[["mean", "above_3", "count", "z"]].itertuples(name=None)
    ]
    return bounded(f"{' '.join(by)}\tmean\tz ({chance.told(level, 1)})\tabove_3\tcount", rows)


@TOOLS.tool(ROLE)
def look_periods(
    context: Desk,
    low_hours: Annotated[float, {"minimum": 0.2, "maximum": 500}],
    high_hours: Annotated[float, {"minimum": 0.3, "maximum": 1000}],
) -> str:
    """Cycles in the log residual of all assets together: the ten highest distinct peaks between two bounds.

    The strength is in standard errors; the height is the strength over the median of neighbouring periods, since at
    long periods chance is stronger. The header tells what the highest peak stays below by chance in 95 of 100 looks. A
    part of a day, of a week or of the spacing of prompts is marked: the baseline's season leaves it, or our asking.

    Args:
        low_hours: the shortest period.
        high_hours: the longest period.
    """
    if low_hours >= high_hours:
        raise ValueError(f"low_hours must be below high_hours, got {low_hours} and {high_hours}")
    context.look(f"periods of {low_hours:g} to {high_hours:g} hours")
    table, level = context.residuals.peaks(low_hours, high_hours)
    rows = [
        (f"{hours:.2f}", f"{strength:.1f}\t{height:.1f}" + (f"\t{known}" if known else ""))
        for hours, strength, height, known in table.itertuples(index=False, name=None)
    ]
    return bounded(f"hours\tstrength\theight ({chance.told(level, 1)})\twhat it is a part of", rows)


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

    Volatility has memory, so short lags of any pair go together, less and less; a lag that is something stands out of
    its neighbours. The bump says by how much: the correlation less the mean of those three hours off on either side.
    The header tells what chance does: what the largest of the column, either sign, stays below in 95 of 100 turns of
    the two series against each other by whole days, three at least.

    Args:
        asset: whose residual.
        other: whose movement; the same asset gives the autocorrelation.
        lags_hours: 1 to 48 lags in whole hours, 1 to 500, such as 1, 2, 3.
    """
    context.asset(asset), context.asset(other)
    times, _ = context.residuals.hourly()
    lags = [round(lag) for lag in _lags(lags_hours, 48, most=min(_LONGEST, len(times) - 1))]
    context.look(f"lags of {asset} behind {other}")
    rows = (times - context.known.times[0]) // context.known.step
    moves = log_level(context.known, other, 1.0)[rows]
    table, level, level_of_bumps = context.residuals.lagged(asset, moves, lags)
    rows_told = [
        (f"{lag}", f"{value:+.3f}\t{'-' if np.isnan(bump) else f'{bump:+.3f}'}")
        for lag, value, bump in table.itertuples(name=None)
    ]
    columns = f"correlation ({chance.told(level, 3)})\tbump ({chance.told(level_of_bumps, 3)})"
    return bounded(f"lag hours\t{columns}", rows_told, 48)


@TOOLS.tool(ROLE)
def look_series(
    context: Desk,
    name: str,
    from_hours: Annotated[int, {"minimum": 0, "maximum": 451}] = 0,
    to_hours: Annotated[int, {"minimum": 0, "maximum": 500}] = 48,
) -> str:
    """Describe an extra series and how the log residual of all assets together goes with it.

    For a series of values: by the value that was the last one each of these hours before, its correlation, and the z of
    each tenth of the values, since a threshold shows in tenths and hardly in a correlation; the surest lags are told in
    full. For a schedule, whose values are unix seconds at which something is due: by hours since the last due. z is of
    steps or hours, which are not independent: the levels beside it tell what the largest of all that is looked at stays
    below in 95 of 100 turns of the series against the residuals by whole days, three at least.

    Args:
        name: of the series.
        from_hours: the shortest lag, whole hours; not used for a schedule.
        to_hours: the longest lag, at most 48 hours longer; not used for a schedule.
    """
    _, values = context.known.series[context.series(name)]
    if not len(values):
        raise ValueError(f"nothing of {name} was published before the folds for finding ended")
    if is_schedule(context.known, name):
        context.look(f"the series {name}")
        return look_at_schedule(context, name)
    if not from_hours <= to_hours < from_hours + SCANNED:
        raise ValueError(f"to_hours must be {from_hours} to {from_hours + SCANNED - 1}, got {to_hours}")
    context.look(f"the series {name} {from_hours} to {to_hours} hours before")
    return look_at_values(context, name, range(from_hours, to_hours + 1))


def _lags(given: list[float], count: int, *, most: int) -> list[float]:
    """Return lags as they are, once all can be answered."""
    if not given or len(given) > count:
        raise ValueError(f"lags_hours takes 1 to {count} lags, got {len(given)}")
    if wrong := [lag for lag in given if not 1 <= lag <= most or lag != round(lag)]:
        raise ValueError(f"a lag is whole hours from 1 to {most}, got {', '.join(f'{lag:g}' for lag in wrong)}")
    return given


def _key(key: object) -> str:
    return " ".join(map(str, key)) if isinstance(key, tuple) else str(key)

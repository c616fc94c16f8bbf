"""What was known to come at the times of some prompts, written down minute by minute, so that no calendar is needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from synthcity.durations import MINUTE
from synthcity.market.bars import Floats, Market, Times
from synthcity.sn50.prompt import Prompt


@dataclass(frozen=True, eq=False)
class Foreknown:
    """A ``market.bars.Foresight`` of a few times: ``tables`` by asset and time hold those minutes (n,), sorted, whose
    volatility was expected to be another than usual, and how many times the usual one (n,)."""

    tables: Mapping[tuple[str, int], tuple[Times, Floats]]

    def effect(self, asset: str, now: int) -> Callable[[Times], Floats]:
        """The multipliers of minutes as they were known at ``now``; 1 where nothing is written down."""
        times, values = self.tables.get((asset, now), (np.empty(0, np.int64), np.empty(0)))

        def multipliers(minutes: Times) -> Floats:
            found = np.ones(len(minutes))
            if len(times):
                at = np.minimum(np.searchsorted(times, minutes), len(times) - 1)
                is_there = times[at] == minutes
                found[is_there] = values[at[is_there]]
            return found

        return multipliers


def written_down(market: Market, prompts: Sequence[Prompt], begin: int) -> Foreknown | None:
    """Return what ``market`` knew at the start of each prompt of the minutes from ``begin`` to its end."""
    if market.foresight is None:
        return None
    tables = {}
    for prompt in prompts:
        minutes = np.arange(begin // MINUTE * MINUTE, int(prompt.grid[-1]) + MINUTE, MINUTE, dtype=np.int64)
        values = market.foresight.effect(prompt.asset, prompt.start_time)(minutes)
        other = values != 1.0
        tables[prompt.asset, prompt.start_time] = minutes[other], values[other]
    return Foreknown(tables)

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
    """A ``market.bars.Foresight`` of a few times.

    ``tables`` by asset and the time of knowing, or minus the seconds that each minute was known before it, hold those
    minutes (n,), sorted, whose volatility was expected to be another than usual, and how many times the usual one (n,).
    """

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

    def ahead(self, asset: str, seconds: int) -> Callable[[Times], Floats]:
        """The same as far as they were known ``seconds`` before each minute."""
        return self.effect(asset, -seconds)


def written_down(market: Market, prompts: Sequence[Prompt], begin: int) -> Foreknown | None:
    """Return what ``market`` knew at the start of each prompt, and a prompt's length before each minute.

    Args:
        market: with or without foresight.
        prompts: those asked about.
        begin: the first minute, unix seconds; the last one is the end of the last prompt.
    """
    foresight = market.foresight
    if foresight is None:
        return None
    end = max((int(prompt.grid[-1]) for prompt in prompts), default=begin)
    minutes = np.arange(begin // MINUTE * MINUTE, end + MINUTE, MINUTE, dtype=np.int64)
    found = {}
    for prompt in prompts:
        found[prompt.asset, prompt.start_time] = foresight.effect(prompt.asset, prompt.start_time)(minutes)
        if (prompt.asset, -prompt.time_length) not in found:
            found[prompt.asset, -prompt.time_length] = foresight.ahead(prompt.asset, prompt.time_length)(minutes)
    return Foreknown({key: (minutes[values != 1.0], values[values != 1.0]) for key, values in found.items()})

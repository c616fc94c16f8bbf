"""Minutes, the grain of everything that is known about volatility before it comes, and the steps that they add up to.

Prompts start at any minute, so no step can be trusted to begin on a mark of the clock. Whatever is expected of a time
is therefore an ``Effect`` of minutes, and ``over_steps`` is the one place that sums the variances of the minutes which
a step really covers. Effects multiply: the season, a release and a funding hour are three of them in one call.

The clock here is that of ``market.bars``: a step that ENDS at ``g`` holds the minutes that OPEN from ``g - seconds`` on
and before ``g``. The network's own clock runs a minute ahead; who answers a prompt has turned its grid into ours before
it comes here (``serve.answering.clock``), so that minute is counted once.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce

import numpy as np

from synthcity.durations import MINUTE
from synthcity.market.bars import Floats, Times

Effect = Callable[[Times], Floats]
"""From opening times of minutes, unix seconds (n,), to multipliers of their volatility, float64 (n,); 1 is ordinary."""


def minutes_of(ends: Times, seconds: int) -> Times:
    """Return when the minutes open of which steps consist that END at ``ends``: (n, minutes a step).

    Args:
        ends: unix seconds (n,), as a rule whole minutes; others are covered from their own second on.
        seconds: length of a step; one below a minute counts as the minute that it ends in.
    """
    count = max(1, seconds // MINUTE)
    return ends[:, None] - MINUTE * np.arange(count, 0, -1, dtype=np.int64)


def over_steps(ends: Times, seconds: int, *effects: Effect) -> Floats:
    """Turn effects of minutes into one multiplier a step, (n,): the root of the mean square over the minutes covered.

    Minutes are independent, so it is their variances that add up. Without any effect all is 1.

    Args:
        ends: when the steps end, unix seconds (n,), as in ``minutes_of``.
        seconds: length of a step.
        effects: of which each minute carries the product.
    """
    if not effects:
        return np.ones(len(ends))
    minutes = minutes_of(ends, seconds)
    volatility = reduce(np.multiply, (effect(minutes.ravel()) for effect in effects)).reshape(minutes.shape)
    return np.asarray(np.sqrt(np.einsum("nm,nm->n", volatility, volatility) / minutes.shape[1]))

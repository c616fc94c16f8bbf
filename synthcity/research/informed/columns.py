"""What kept inputs say, as a covariate of networks: the log multiplier of each step, as of the start of each window.

What is said of a step hangs on when it is said, so every window has its own row. There are ``_MOST`` windows at most a
period, at times that are the same for all assets and at every minute of the hour; neighbours share nearly all of their
steps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import gcd

import numpy as np

from synthcity.errors import DataError
from synthcity.market.bars import Market, Times
from synthcity.market.dataset import Dataset
from synthcity.market.foretold import Foretold
from synthcity.market.windows import FeatureTable
from synthcity.research.informed.forecaster import Informed
from synthcity.research.known import known_of

_MOST = 6_000
_AT_ONCE = 250  # starts, so that memory stays small


def with_inputs(
    dataset: Dataset, inputs: Informed, market: Market, progress: Callable[[int, int], None] | None = None
) -> Dataset:
    """Return ``dataset`` with what inputs say, and its windows alone that they say something of.

    Nothing later than a window's start is told to an input: neither by the recipes' own look-back nor to a text, whose
    process is given prices in the order of time.

    Args:
        dataset: whose spec may have inputs already, as that of a bundle has.
        inputs: learned on its train period, or before.
        market: prices of the same assets.
        progress: gets the number of starts that are done, and that of all.

    Raises:
        DataError: no window of an asset is left.
        InputRefused, Misbehaved: an input broke its contract.
    """
    step = dataset.spec.increment
    own = Market({key: bars for key, bars in market.items() if key[0] in inputs.assets and key[1] == step})
    end = max(int(table.time[-1]) for table in dataset.tables.values())
    own = own.until(end)
    known = known_of(own, inputs.assets, step)
    times = _starts(dataset, int(known.times[0]), int(known.times[-1]))
    steps = step * np.arange(1, dataset.spec.horizon + 1)
    said = np.empty((len(times), len(inputs.assets), len(steps)), dtype=np.float32)
    for first in range(0, len(times), _AT_ONCE):
        part = times[first : first + _AT_ONCE]
        rows = (part - known.times[0]) // step
        said[first : first + len(part)] = np.log(inputs.multipliers(own, known, rows, part[:, None] + steps))
        if progress:
            progress(first + len(part), len(times))
    tables, train, validation = {}, {}, {}
    for asset, table in dataset.tables.items():
        at = np.flatnonzero((times >= table.time[0]) & (times <= table.time[-1]))
        rows = (times[at] - table.time[0]) // step
        tables[asset] = replace(table, foretold=Foretold(rows=rows, values=said[at, inputs.assets.index(asset)]))
        train[asset] = np.intersect1d(dataset.train[asset], rows)
        validation[asset] = np.intersect1d(dataset.validation[asset], rows)
        if not (len(train[asset]) and len(validation[asset])):
            raise DataError(f"no window of {asset} begins where something is known to the inputs of the library")
    return replace(dataset, spec=replace(dataset.spec, inputs=True), tables=tables, train=train, validation=validation)


def _starts(dataset: Dataset, first: int, last: int) -> Times:
    """Times at which windows may start, in order: a grid for training, and all of validation."""
    spec = dataset.spec
    begin = max(first, min(int(_time(dataset.tables[asset], rows[0])) for asset, rows in dataset.train.items()))
    all_of = np.arange(begin, last - spec.horizon * spec.increment + 1, spec.increment, dtype=np.int64)
    every = max(1, -(-len(all_of) // _MOST))
    while gcd(every, spec.steps_per_day) > 1:
        every += 1
    grid = all_of[all_of // spec.increment % every == 0]
    seen = [_time(dataset.tables[asset], rows) for asset, rows in dataset.validation.items()]
    found = np.unique(np.concatenate([grid, *seen]))
    return found[found >= first]


def _time(table: FeatureTable, rows: Times) -> Times:
    return table.time[rows]

"""All that training needs, as plain arrays: built once by the driver, shared with every worker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthcity.errors import DataError
from synthcity.market.bars import Market
from synthcity.market.columns import closes_alone
from synthcity.market.windows import FeatureTable, WindowSpec

Indices = NDArray[np.int64]


@dataclass(frozen=True, eq=False, kw_only=True)
class Dataset:
    """Feature tables and window starts of one competition. Picklable, read-only.

    ``train[asset]`` and ``validation[asset]`` hold grid indices of window starts; a window at ``i`` uses rows up to
    ``i`` and realised returns ``i + 1 .. i + horizon``, which end inside its period. Nothing later than the end of
    validation is in the tables.
    """

    competition: str
    rules: str
    spec: WindowSpec
    assets: tuple[str, ...]
    tables: dict[str, FeatureTable]
    train: dict[str, Indices]
    validation: dict[str, Indices]
    coefficients: dict[str, float]


def build_dataset(
    market: Market,
    *,
    competition: str,
    rules: str,
    spec: WindowSpec,
    assets: Sequence[str],
    train: tuple[int, int],
    validation: tuple[int, int],
    validation_every: int,
    coefficients: dict[str, float],
) -> Dataset:
    """Build tables for ``assets`` and the window starts of both periods (unix seconds, start and end).

    Validation windows start every ``validation_every`` seconds; training windows at every grid step.

    Raises:
        DataError: an asset has no complete window in one of the periods, or closes alone where ranges are read.
    """
    tables, train_starts, validation_starts = {}, {}, {}
    for asset in assets:
        key = (asset, spec.increment)
        if key not in market or not len(market[key]):
            raise DataError(f"no {spec.increment}-second bars of {asset}: import or download them first")
        if spec.range_scales and closes_alone(market[key]).any():
            raise DataError(
                f"these networks read the high and low of each bar, and bars of {asset} are closes alone; train them "
                "on the bars of a venue"
            )
        horizon = spec.horizon * spec.increment
        expected = None if market.foresight is None else market.foresight.ahead(asset, horizon)
        table = FeatureTable.build(market[key].until(validation[1]), spec, expected=expected)
        tables[asset] = table
        train_starts[asset] = window_starts(table, spec, *train)
        at = window_starts(table, spec, *validation)
        at = at[(table.time[at] - validation[0]) % validation_every == 0]
        # as the network does, only where the last price was observed
        validation_starts[asset] = at[np.isfinite(table.price[at + spec.horizon])]
        for name, starts in (("train", train_starts[asset]), ("validation", validation_starts[asset])):
            if not len(starts):
                raise DataError(
                    f"{asset} has no complete {name} window: it needs {spec.warmup_days:g} days of history before "
                    f"and {spec.horizon * spec.increment} seconds after a start inside the {name} period"
                )
    return Dataset(
        competition=competition,
        rules=rules,
        spec=spec,
        assets=tuple(assets),
        tables=tables,
        train=train_starts,
        validation=validation_starts,
        coefficients=dict(coefficients),
    )


def window_starts(table: FeatureTable, spec: WindowSpec, start: int, end: int) -> Indices:
    """Grid indices whose window lies in [start, end] and whose price, anchor and any future return are observed.

    Where the table has something foretold, only those that it is foretold at.
    """
    index = np.arange(len(table), dtype=np.int64)
    seen = np.concatenate([[0], np.cumsum(np.isfinite(table.returns))])
    last = np.minimum(index + spec.horizon, len(table) - 1)
    ok = (
        (table.time >= start)
        & (index + spec.horizon < len(table))
        & (table.time + spec.horizon * spec.increment <= end)
        & (index >= spec.warmup)
        & np.isfinite(table.price)
        & (np.nan_to_num(table.anchor) > 1e-6)
        & (seen[last + 1] - seen[index + 1] > 0)
    )
    if table.foretold is not None:
        ok &= np.isin(index, table.foretold.rows)
    starts: Indices = index[ok]
    return starts

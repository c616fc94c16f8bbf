"""What came of a test: scores with something against scores without it, prompt by prompt, with an interval."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from synthcity.forecast.evaluation.compare import Lead, lead

WITH, WITHOUT = "with", "without"


@dataclass(frozen=True, kw_only=True)
class Tested:
    """What came of one test; ``lead`` and ``by_fold`` in percent, minus is better.

    Attributes:
        name: of the input or forecaster.
        lead: with it against without, on all prompts of the folds.
        by_fold: the difference on each fold alone.
        columns: coefficients it had; none for a forecaster.
        seconds: it took.
    """

    name: str
    lead: Lead
    by_fold: Mapping[str, float]
    columns: int
    seconds: float


def compared(
    name: str,
    tables: Mapping[str, pd.DataFrame],
    *,
    block_days: int,
    weights: Mapping[str, float],
    confidence: float,
    columns: int,
    began: float,
) -> Tested:
    """Compare ``WITH`` and ``WITHOUT`` on all folds together, and on each.

    Args:
        name: of what was tested.
        tables: by fold its scores, as in ``Backtest.scores``.
        block_days: length of a block of the interval.
        weights: coefficient by asset.
        confidence: of the interval.
        columns: see ``Tested``.
        began: on the clock of ``time.perf_counter``.
    """
    return Tested(
        name=name,
        lead=lead(
            pd.concat(tables.values(), ignore_index=True),
            WITH,
            WITHOUT,
            block_days=block_days,
            weights=weights,
            confidence=confidence,
        ),
        by_fold={fold: lead(table, WITH, WITHOUT, weights=weights).mean for fold, table in tables.items()},
        columns=columns,
        seconds=time.perf_counter() - began,
    )

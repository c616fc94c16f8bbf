"""What came of a test is told for all folds together and for each."""

from __future__ import annotations

import time

import pandas as pd
import pytest

from synthcity.durations import DAY
from synthcity.research.measuring.tested import WITH, WITHOUT, compared


def table(start: int, better: float) -> pd.DataFrame:
    days = [start + day * DAY for day in range(10)]
    both = ((WITHOUT, 100.0), (WITH, 100.0 - better))
    return pd.concat(
        [pd.DataFrame({"asset": "BTC", "start_time": days, "forecaster": name, "total": total}) for name, total in both]
    )


def test_folds_are_told_apart_and_together() -> None:
    found = compared(
        "one",
        {"first": table(0, 1.0), "second": table(30 * DAY, 3.0)},
        block_days=1,
        weights={"BTC": 1.0},
        confidence=0.9,
        columns=2,
        began=time.perf_counter(),
    )
    assert found.by_fold == pytest.approx({"first": -1.0, "second": -3.0})
    assert found.lead.mean == pytest.approx(-2.0)
    assert found.lead.proven
    assert (found.name, found.columns, found.lead.num_blocks) == ("one", 2, 20)

from __future__ import annotations

import numpy as np
import pytest

from synthcity.research.known import known_of
from synthcity.research.measuring.trial import Judge
from tests.research.conftest import ASSETS, START, STEP, market_of


def test_bars_of_all_assets_lie_on_one_grid_and_gaps_stay_gaps(still: Judge) -> None:
    market = market_of(still.known)
    short = {key: bars.slice(10, 90) if key[0] == "ETH" else bars.slice(0, 100) for key, bars in market.items()}
    known = known_of(type(market)(short), ASSETS, STEP)
    assert len(known) == 100
    assert np.isnan(known.bars["ETH"]["close"]).sum() == 20
    assert np.array_equal(known.bars["BTC"]["close"], still.known.bars["BTC"]["close"][:100])


def test_nothing_later_is_there_series_included(still: Judge) -> None:
    known = still.known.until(500)
    assert len(known) == 501
    now = START + 500 * STEP
    assert known.times[-1] == now
    assert all(len(values[0]) and values[0].max() <= now for values in known.series.values())
    assert np.array_equal(known.returns("BTC")[1:], still.known.returns("BTC")[1:501])


def test_the_last_value_holds_until_the_next(still: Judge) -> None:
    last, (published, values) = still.known.last("funding"), still.known.series["funding"]
    row = int((published[3] - START) // STEP)
    assert last[row - 1] == values[2]
    assert last[row] == values[3]
    assert last[row + 50] == values[3]


def test_what_was_known_at_a_time_is_its_row_and_those_before(still: Judge) -> None:
    known = still.known.before(START + 500 * STEP + 1)
    assert known.times[-1] == START + 500 * STEP
    with pytest.raises(ValueError, match="nothing was known"):
        still.known.before(START - 1)

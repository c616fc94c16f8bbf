from __future__ import annotations

import numpy as np
import pytest

from synthcity.errors import DataError
from synthcity.forecast.baselines.returns import log_returns, require
from synthcity.market.bars import Bars


def _bars(time: list[int], close: list[float]) -> Bars:
    price = np.array(close)
    return Bars(np.array(time), price, price, price, price, np.ones(len(time)), 300)


def test_bridges_no_gap() -> None:
    returns = log_returns(_bars([0, 300, 1200, 1500], [1.0, 2.0, 8.0, 4.0]))
    np.testing.assert_allclose(returns.value, [np.log(2), -np.log(2)])
    np.testing.assert_array_equal(returns.observed, [600, 1800])
    assert len(returns.closed_move) == 0  # a quarter of an hour is an outage


def test_tells_a_closure_from_an_outage() -> None:
    returns = log_returns(_bars([0, 300, 7200, 7500, 8700], [1.0, 2.0, 8.0, 4.0, 4.0]))
    np.testing.assert_allclose(returns.closed_move, [np.log(4)])
    np.testing.assert_array_equal(returns.closed_steps, [23])


def test_counts_a_bad_close_as_absent() -> None:
    returns = log_returns(_bars([0, 300, 600, 900, 1200], [1.0, np.nan, 2.0, 4.0, 0.0]))
    np.testing.assert_allclose(returns.value, [np.log(2)])


def test_limits_by_bars_and_by_seconds() -> None:
    bars = _bars([0, 300, 600, 900], [1.0, 2.0, 4.0, 16.0])
    np.testing.assert_allclose(log_returns(bars, last_bars=2).value, np.log([2, 4]))
    np.testing.assert_allclose(log_returns(bars, last_seconds=300).value, np.log([4]))
    assert len(log_returns(_bars([], []), last_seconds=300).value) == 0


def test_require_names_the_figures() -> None:
    returns = log_returns(_bars([0, 300], [1.0, 2.0]))
    require(returns, 1, "BTC", "fhs")
    with pytest.raises(DataError, match=r"fhs needs 2 returns of BTC .* has 1"):
        require(returns, 2, "BTC", "fhs")

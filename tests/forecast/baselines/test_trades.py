from __future__ import annotations

import numpy as np

from synthcity.forecast.baselines.trades import trades_of
from synthcity.market.bars import Bars
from synthcity.market.calendar.week import SLOTS_A_DAY, Week

MONDAY = 1_748_836_800  # 2025-06-02 00:00 in New York


def _bars(steps: list[int], close: list[float]) -> Bars:
    """Bars observed ``steps`` five minutes after Monday midnight."""
    price = np.array(close)
    return Bars(MONDAY + 300 * (np.array(steps) - 1), price, price, price, price, np.ones(len(price)), 300)


def _week(*closed: slice) -> Week:
    mask = np.zeros(7 * SLOTS_A_DAY, dtype=bool)
    for part in closed:
        mask[part] = True
    return Week(closed=mask, thin=np.zeros_like(mask), keeps_holidays=False, closure_seconds=3600)


def test_tells_moves_from_still_steps() -> None:
    trades = trades_of(_bars([1, 2, 3, 4], [1.0, 2.0, 2.0, 8.0]), _week(), 86400)
    np.testing.assert_allclose(trades.value, np.log([2, 4]))
    np.testing.assert_array_equal(trades.observed, MONDAY + 300 * np.array([2, 4]))
    np.testing.assert_array_equal(trades.still, [False, True, False])
    np.testing.assert_array_equal(trades.seen, MONDAY + 300 * np.array([2, 3, 4]))


def test_tells_a_closure_from_an_outage() -> None:
    # slots 2 to 20 (the steps that end at 3 to 21) are closed; 25 to 30 are lost
    bars = _bars([1, 2, 22, 23, 24, 31, 32], [1.0, 2.0, 8.0, 4.0, 2.0, 64.0, 32.0])
    trades = trades_of(bars, _week(slice(2, 21)), 86400)
    np.testing.assert_allclose(trades.value, np.log([2, 1 / 2, 1 / 2, 1 / 2]))
    np.testing.assert_allclose(trades.gap_move, np.log([4]))
    np.testing.assert_array_equal(trades.gap_steps, [20])
    np.testing.assert_array_equal(trades.gap_after, [1])


def test_an_outage_beside_a_closure_belongs_to_it() -> None:
    for lost in ([1, 2, 23], [1, 22, 23]):  # the first bar after, the last one before
        trades = trades_of(_bars(lost, [1.0, 2.0, 8.0]), _week(slice(2, 21)), 86400)
        np.testing.assert_array_equal(trades.gap_steps, [21])


def test_bars_of_closed_slots_do_not_count() -> None:
    week = _week(slice(2, 21))
    there = _bars([1, 2, 22, 23], [1.0, 2.0, 8.0, 4.0])
    repeated = _bars(list(range(1, 24)), [1.0, *[2.0] * 20, 8.0, 4.0])
    for name in ("value", "observed", "still", "seen", "gap_move", "gap_steps", "gap_after"):
        np.testing.assert_array_equal(
            getattr(trades_of(repeated, week, 86400), name), getattr(trades_of(there, week, 86400), name)
        )


def test_a_closure_without_a_move_tells_nothing() -> None:
    trades = trades_of(_bars([1, 2, 22, 23], [1.0, 2.0, 2.0, 4.0]), _week(slice(2, 21)), 86400)
    assert len(trades.gap_move) == 0


def test_bad_closes_and_old_bars_are_left_out() -> None:
    bars = _bars([1, 2, 3, 4, 5], [1.0, np.nan, 2.0, 4.0, 0.0])
    np.testing.assert_allclose(trades_of(bars, _week(), 86400).value, [np.log(2)])
    bars = _bars([1, 2, 3, 4], [1.0, 2.0, 8.0, 64.0])
    np.testing.assert_allclose(trades_of(bars, _week(), 300).value, [np.log(8)])
    assert len(trades_of(bars.slice(0, 0), _week(), 300).value) == 0

from __future__ import annotations

import numpy as np

from synthcity.market.columns import bars_of_closes, closes_alone, concatenate, differing, take, union
from tests.market.factories import assert_equal, make_bars

BARS = make_bars(20)


def test_parts_put_together_are_the_whole():
    assert_equal(concatenate([BARS.slice(0, 7), BARS.slice(7, 7), BARS.slice(7, 20)], 300), BARS)
    nothing = concatenate([], 300)
    assert (len(nothing), nothing.resolution, nothing.time.dtype) == (0, 300, np.int64)


def test_of_two_bars_of_one_time_the_old_one_stays():
    other = make_bars(20, seed=1)
    both = union(BARS.slice(5, 10), other.slice(8, 15))
    assert_equal(both, concatenate([BARS.slice(5, 10), other.slice(10, 15)], 300))
    assert_equal(union(other.slice(8, 15), BARS.slice(0, 3)).slice(0, 3), BARS.slice(0, 3))


def test_rows_are_taken_by_mask_or_position():
    assert_equal(take(BARS, np.arange(20) < 4), BARS.slice(0, 4))
    assert take(BARS, np.array([3, 1])).close.tolist() == [BARS.close[3], BARS.close[1]]


def test_closes_alone_are_told_apart_and_two_unknowns_are_no_change():
    closes = bars_of_closes(BARS.time, BARS.close, 300)
    assert closes_alone(closes).all()
    assert not closes_alone(BARS).any()
    assert not any(changed.any() for changed in differing(closes, closes).values())
    changes = differing(closes, bars_of_closes(BARS.time, np.where(np.arange(20) == 3, 1.0, BARS.close), 300))
    assert {name: np.flatnonzero(changed).tolist() for name, changed in changes.items() if changed.any()} == {
        "close": [3]
    }
    assert all(changed.all() for name, changed in differing(closes, BARS).items() if name != "close")

from __future__ import annotations

import numpy as np

from synthcity.market.columns import take
from synthcity.market.store.coverage import measure
from tests.market.factories import START, make_bars


def test_gaps_are_counted_and_the_longest_is_measured():
    row = np.arange(100)
    found = measure(take(make_bars(100), (row != 10) & ((row < 50) | (row >= 60))))
    assert (found.first, found.last, found.num_bars) == (START, START + 99 * 300, 89)
    assert (found.num_gaps, found.longest_gap) == (2, 3000)
    assert found.share == 0.89


def test_one_bar_is_whole():
    found = measure(make_bars(1))
    assert (found.num_bars, found.num_gaps, found.longest_gap, found.share) == (1, 0, 0, 1.0)

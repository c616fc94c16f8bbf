"""Regular grids of several assets, and what becomes known between two times."""

from __future__ import annotations

import numpy as np
import pytest

from synthcity.authored.panel import Panel
from synthcity.durations import DAY
from synthcity.errors import DataError
from synthcity.market.bars import Bars

START = 1_740_787_200


def bars(at: list[int], resolution: int = 300) -> Bars:
    time = START + resolution * np.array(at, dtype=np.int64)
    price = 100.0 + np.array(at, dtype=np.float64)
    return Bars(time, price, price + 2, price - 2, price + 1, price * 0, resolution)


MARKET = {("BTC", 300): bars([0, 1, 2, 4]), ("ETH", 300): bars([2, 3])}
FUNDING = (np.array([START, START + 900, START + 1500], dtype=np.int64), np.array([1.0, 2.0, 3.0]))


def test_a_gap_is_not_a_number_and_a_row_the_time_of_its_close() -> None:
    grid = Panel.of(MARKET, ["BTC", "ETH"], 300).grids[300]
    assert grid.time.tolist() == [START + 300 * n for n in range(1, 6)]
    np.testing.assert_array_equal(grid.values[:, 0, 3], [101, 102, 103, np.nan, 105])
    np.testing.assert_array_equal(grid.values[:, 1, 0], [np.nan, np.nan, 102, 103, np.nan])


def test_every_row_is_told_once_when_it_is_known() -> None:
    panel = Panel.of(MARKET, ["BTC", "ETH"], 300, series={"funding": FUNDING})
    whole = panel.between(None, START + 1500, 1)
    first, then, none = (
        panel.between(after, START + now, 1) for after, now in ((None, 899), (START + 899, 1500), (START + 1500, 1500))
    )
    assert first.arrays["bars 300 time"].tolist() == [START + 300, START + 600]
    assert first.arrays["series funding"].tolist() == [1.0]
    for name in whole.arrays:
        np.testing.assert_array_equal(whole.arrays[name], np.concatenate([first.arrays[name], then.arrays[name]]))
        assert len(none.arrays[name]) == 0


def test_no_more_is_told_than_was_asked_for() -> None:
    panel = Panel.of(MARKET, ["BTC"], 300, series={"funding": FUNDING})
    part = panel.between(None, START + 1500, 600 / DAY)
    assert part.arrays["bars 300 time"].tolist() == [START + 1200, START + 1500]
    assert part.arrays["series funding"].tolist() == [3.0]  # what was known at the beginning is no longer told


@pytest.mark.parametrize(
    "series",
    [(FUNDING[0][::-1], FUNDING[1]), (FUNDING[0], FUNDING[1][:2]), (FUNDING[0], np.array([1.0, np.nan, 2.0]))],
)
def test_a_series_is_sorted_finite_and_as_long_as_its_times(series: tuple[np.ndarray, np.ndarray]) -> None:
    with pytest.raises(DataError, match="the series funding must be"):
        Panel.of(MARKET, ["BTC"], 300, series={"funding": series})


def test_no_bars_at_all_are_told() -> None:
    with pytest.raises(DataError, match="no 60-second bars of BTC"):
        Panel.of(MARKET, ["BTC"], 300, finer=[60])

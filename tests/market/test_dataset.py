from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from synthcity.errors import DataError
from synthcity.market.bars import Bars, Market
from synthcity.market.columns import bars_of_closes, take
from synthcity.market.dataset import Dataset, build_dataset, window_starts
from synthcity.market.foretold import Foretold
from synthcity.market.windows import WindowSpec
from tests.market.factories import START, make_bars

DAY = 86400
SPEC = WindowSpec.of(300, 288)
TRAIN, VALIDATION = (START, START + 14 * DAY), (START + 14 * DAY, START + 20 * DAY)
BARS = make_bars(22 * 288)


def build(bars: Bars = BARS, **changes: object) -> Dataset:
    settings = {
        "spec": SPEC,
        "train": TRAIN,
        "validation": VALIDATION,
        "validation_every": DAY // 2,
        "assets": ["BTC"],
    } | changes
    market = Market({("BTC", 300): bars})
    return build_dataset(market, competition="crypto-24h", rules="2026-09", coefficients={"BTC": 1.0}, **settings)  # type: ignore[arg-type]


def test_windows_lie_inside_their_period_after_the_warm_up():
    data = build()
    table = data.tables["BTC"]
    for starts, (first, last) in ((data.train["BTC"], TRAIN), (data.validation["BTC"], VALIDATION)):
        assert table.time[starts].min() >= first
        assert table.time[starts].max() + 288 * 300 == last
    assert data.train["BTC"][0] == SPEC.warmup
    assert ((table.time[data.validation["BTC"]] - VALIDATION[0]) % (DAY // 2) == 0).all()


def test_nothing_after_validation_is_in_the_tables():
    assert build().tables["BTC"].time[-1] == VALIDATION[1]


def test_no_window_starts_in_a_gap_and_no_validation_window_ends_in_one():
    hole = (BARS.time >= START + 16 * DAY - 600) & (BARS.time < START + 16 * DAY)
    data = build(take(BARS, ~hole))
    starts = data.tables["BTC"].time[data.validation["BTC"]]
    assert START + 16 * DAY not in starts
    assert START + 15 * DAY not in starts
    assert {START + 15 * DAY + DAY // 2, START + 16 * DAY + DAY // 2} <= set(starts.tolist())


def test_no_window_starts_where_the_price_has_long_been_flat():
    flat = {name: np.where(BARS.time < START + 12 * DAY, 100.0, getattr(BARS, name)) for name in ("open", "close")}
    still = Bars(
        BARS.time, flat["open"], np.maximum(*flat.values()), np.minimum(*flat.values()), flat["close"], BARS.volume, 300
    )
    data = build(still)
    assert data.tables["BTC"].time[data.train["BTC"]].min() >= START + 12 * DAY


def test_networks_that_read_ranges_are_not_trained_on_closes_alone():
    closes = bars_of_closes(BARS.time, BARS.close, 300)
    with pytest.raises(DataError, match="read the high and low of each bar, and bars of BTC are closes alone"):
        build(closes)
    assert len(build(closes, spec=WindowSpec.of(300, 288, ranges=False)).train["BTC"])


def test_what_is_missing_is_said():
    with pytest.raises(DataError, match="no 300-second bars of ETH: import or download them first"):
        build(assets=["ETH"])
    with pytest.raises(DataError, match="BTC has no complete train window: it needs 7 days of history before"):
        build(train=(START, START + 5 * DAY))


def test_windows_start_where_something_is_foretold_alone():
    table = build().tables["BTC"]
    rows = np.arange(0, len(table), 7)
    told = replace(table, foretold=Foretold(rows=rows, values=np.zeros((len(rows), 288), dtype=np.float32)))
    everywhere, there = (window_starts(each, SPEC, *TRAIN) for each in (table, told))
    assert there.tolist() == [row for row in everywhere.tolist() if row % 7 == 0]

"""What a run's trials saw is told apart from what they did not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from synthcity.errors import DataError
from synthcity.market.bars import Bars, Market
from synthcity.search.data import SearchData, load_data
from synthcity.search.fingerprint import compare, fingerprint
from tests.search.test_data import config


@pytest.fixture(scope="module")
def data() -> SearchData:
    return load_data(config())


def amended(data: SearchData, at: int) -> SearchData:
    """One close of BTC, of the bar that is observed at ``at``, is another."""
    bars = data.market["BTC", 300]
    close = np.where(bars.observed == at, bars.close * 1.0001, bars.close)
    changed = Bars(bars.time, bars.open, bars.high, bars.low, close, bars.volume, 300)
    return replace(data, market=Market({**{key: data.market[key] for key in data.market}, ("BTC", 300): changed}))


def test_the_same_prices_have_the_same_fingerprint(data: SearchData) -> None:
    again = fingerprint(load_data(config()))
    assert again == fingerprint(data)
    assert compare(fingerprint(data), again) == []
    assert compare({}, again) == []  # a run of an earlier version told nothing
    other = fingerprint(load_data(config("data.simulated.seed=1")))
    assert all(other[asset][name] != value for asset in other for name, value in again[asset].items())


@pytest.mark.parametrize("period", ["train", "validation"])
def test_prices_that_trials_saw_may_not_change(data: SearchData, period: str) -> None:
    end = getattr(data.periods, period).end
    with pytest.raises(DataError, match=f"the prices of BTC in the {period} period are not those that this run began"):
        compare(fingerprint(data), fingerprint(amended(data, end)))


def test_prices_that_were_drawn_before_the_first_bar_count_to_the_train_period(data: SearchData) -> None:
    bars, table = data.market["BTC", 300], data.dataset.tables["BTC"]
    market = Market({**{key: data.market[key] for key in data.market}, ("BTC", 300): bars.slice(100, len(bars))})
    other = replace(table, price=np.where(table.time == table.time[50], table.price * 1.0001, table.price))
    drawn, amended = (
        replace(data, market=market, dataset=replace(data.dataset, tables={**data.dataset.tables, "BTC": one}))
        for one in (table, other)
    )
    with pytest.raises(DataError, match="the prices of BTC in the train period are not those"):
        compare(fingerprint(drawn), fingerprint(amended))


def test_prices_of_the_test_period_may_and_it_is_told(data: SearchData) -> None:
    notes = compare(fingerprint(data), fingerprint(amended(data, data.periods.validation.end + 300)))
    assert notes == ["The prices of BTC in the test period changed after the run had begun."]


def test_features_that_are_computed_otherwise_are_told(data: SearchData) -> None:
    before = fingerprint(data)
    before["ETH"]["features"] = "0" * 16
    (note,) = compare(before, fingerprint(data))
    assert note.startswith("The features of ETH are computed otherwise than when the run began")

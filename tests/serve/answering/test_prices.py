from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from synthcity.errors import DataError
from synthcity.market.columns import bars_of_closes
from synthcity.market.store import Store
from synthcity.serve.answering.prices import StorePrices
from tests.serve.dialogue import NOW, market


@pytest.fixture
def store(tmp_path: Path) -> Store:
    found = Store(tmp_path / "store")
    for (asset, resolution), bars in market(("BTC", "ETH"), days=3).items():
        found.append(asset, "test", resolution, bars.slice(0, len(bars) - 1))
    return found


def test_shows_what_was_known(store: Store):
    prices = StorePrices(store)
    last = int(NOW) // 60 * 60 - 60
    assert prices.assets == ("BTC", "ETH")
    assert prices.history("BTC", NOW).bars("BTC", 60).observed[-1] == last
    assert prices.age("BTC", NOW) == NOW - last
    assert prices.history("BTC", NOW - 7200).bars("BTC", 60).observed[-1] == int(NOW - 7200) // 60 * 60
    assert prices.age("BTC", NOW - 30 * 86400) == float("inf")


def test_keeps_no_more_than_is_read(store: Store):
    bars = StorePrices(store, {60: 1.0}).history("BTC", NOW)
    assert len(bars.bars("BTC", 60)) == 1441
    assert not bars.has("BTC", 300)


def test_sees_what_is_added(store: Store):
    ticks = iter(range(0, 1000, 6))
    prices = StorePrices(store, monotonic=lambda: next(ticks))
    before = prices.age("ETH", NOW)
    whole = market(("BTC", "ETH"), days=3)["ETH", 60]
    assert store.append("ETH", "test", 60, whole) == 1
    for path in (store.folder / "ETH").rglob("*.parquet"):
        os.utime(path)
    ages = [prices.age("ETH", NOW) for _ in range(4)]
    assert (ages[0], ages[-1]) == (before, before - 60)


def test_an_unknown_asset_is_refused(store: Store):
    with pytest.raises(DataError, match="did you mean 'BTC'"):
        StorePrices(store).history("BTX", NOW)


def test_closes_of_the_network_beside_the_venue_change_no_answer(tmp_path: Path):
    """`synthcity replay` and `data download --source synth` add them to the store that a miner answers from."""
    store = Store(tmp_path / "store")
    for (asset, resolution), bars in market(("BTC",), days=3).items():
        store.append(asset, "binance", resolution, bars)
    alone = StorePrices(store).history("BTC", NOW).bars("BTC", 60)
    store.append("BTC", "synth", 60, bars_of_closes(alone.time, 2 * alone.close, 60))
    both = StorePrices(store).history("BTC", NOW).bars("BTC", 60)
    assert np.array_equal(both.close, alone.close)
    assert np.isfinite(both.volume).all()

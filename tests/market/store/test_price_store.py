"""What a store gets for the six methods that it writes: shown by the smallest one there can be."""

from __future__ import annotations

from collections.abc import Hashable

import pytest

from synthcity.errors import ConfigError, DataError
from synthcity.market.bars import Bars
from synthcity.market.check import Tell, check_bars
from synthcity.market.columns import concatenate, union
from synthcity.market.store import PriceStore, Series, Store, open_store
from synthcity.market.store.price_store import Verification
from tests.market.factories import START, assert_equal, make_bars


class Memory(PriceStore):
    """Bars in a dictionary."""

    name = "in memory"

    def __init__(self) -> None:
        self._bars: dict[Series, Bars] = {}

    def list_series(self) -> list[Series]:
        return sorted(self._bars)

    def read(self, asset: str, venue: str, resolution: int, start: int, end: int, tell: Tell | None = None) -> Bars:
        key = Series(asset=asset, venue=venue, resolution=resolution)
        return self._bars.get(key, concatenate([], resolution))

    def append(self, asset: str, venue: str, resolution: int, bars: Bars, tell: Tell = print) -> int:
        check_bars(bars, "bars")
        key = Series(asset=asset, venue=venue, resolution=resolution)
        old = self._bars.get(key, concatenate([], resolution))
        self._bars[key] = union(old, bars)
        return len(self._bars[key]) - len(old)

    def stamp(self, asset: str) -> Hashable:
        return sum(map(len, self._bars.values()))

    def verify(self) -> Verification:
        return Verification(num_checked=0, num_unproven=0, damaged=())


@pytest.fixture(params=["memory", "parquet"])
def store(request, tmp_path) -> PriceStore:
    return Memory() if request.param == "memory" else Store(tmp_path / "store")


def test_what_was_appended_is_found_loaded_and_measured(store):
    bars = make_bars(600)
    before = store.stamp("BTC")
    assert store.append("BTC", "venue", 300, bars.slice(0, 400)) == 400
    assert store.append("BTC", "venue", 300, bars) == 200
    assert store.stamp("BTC") != before
    assert store.find("BTC", 300) == Series(asset="BTC", venue="venue", resolution=300)
    assert_equal(store.load("BTC", 300, start=START + 300, end=START + 900), bars.slice(1, 3))
    ((_, coverage),) = store.info()
    assert coverage.num_bars == 600
    assert store.load_market(["BTC"], 300)["BTC", 300].close[0] == bars.close[0]


def test_what_is_missing_is_said(store):
    with pytest.raises(DataError, match="holds no bars; fill it with"):
        store.load("BTC", 300)
    store.append("BTC", "one", 300, make_bars(10))
    with pytest.raises(DataError, match=r"did you mean 'BTC'\?"):
        store.load("BTX", 300)
    with pytest.raises(DataError, match="it has 2025-01-01 00:00 to 2025-01-01 00:45"):
        store.load("BTC", 300, start=START + 86400)
    store.append("BTC", "other", 300, make_bars(10))
    with pytest.raises(ConfigError, match="'one' and 'other'; name the venue"):
        store.load("BTC", 300)


def test_a_url_is_no_folder(tmp_path):
    with pytest.raises(ConfigError, match=r"no store serves s3://prices \(.*\); name a folder"):
        open_store("s3://prices")
    assert isinstance(open_store(tmp_path), Store)

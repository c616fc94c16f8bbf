from __future__ import annotations

import pytest

from synthcity.errors import ConfigError
from synthcity.market.store import Series


def test_series_are_told_apart_and_sorted_by_asset_venue_and_resolution():
    keys = [("BTC", "binance", 300), ("BTC", "binance", 60), ("BTC", "a", 300), ("AAPLX", "z", 60)]
    made = [Series(asset=asset, venue=venue, resolution=resolution) for asset, venue, resolution in keys]
    assert [str(one) for one in sorted(made)] == ["AAPLX 1m (z)", "BTC 5m (a)", "BTC 1m (binance)", "BTC 5m (binance)"]


@pytest.mark.parametrize(
    ("asset", "venue", "resolution", "message"),
    [
        ("BTC (copy)", "binance", 300, "no asset name"),
        ("..", "binance", 300, "no asset name"),
        ("BTC", "my venue", 300, "no venue name"),
        ("BTC", "", 300, "no venue name"),
        ("BTC", "binance", 7, "does not divide a day"),
        ("BTC", "binance", 0, "does not divide a day"),
    ],
)
def test_what_is_no_key_is_refused(asset, venue, resolution, message):
    with pytest.raises(ConfigError, match=message):
        Series(asset=asset, venue=venue, resolution=resolution)

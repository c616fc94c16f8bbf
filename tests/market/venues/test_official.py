from __future__ import annotations

import pytest

from synthcity.errors import ConfigError
from synthcity.market.venues.official import known_venues, official_source, official_venue
from synthcity.settings import Settings
from synthcity.sn50.competitions import get_rules


def test_every_asset_of_the_network_is_made_by_exactly_one_venue():
    symbols = [asset for venue in known_venues() for asset in venue.symbols]
    assert len(symbols) == len(set(symbols)) == 13
    for competition in get_rules().competitions.values():
        assert set(competition.assets) <= set(symbols)


@pytest.mark.parametrize(("asset", "venue"), [("BTC", "binance"), ("XRP", "binance"), ("HYPE", "hyperliquid")])
def test_the_venue_of_an_asset(asset, venue):
    assert official_venue(asset).name == official_source(asset, Settings()).venue == venue


def test_an_unknown_asset_is_refused():
    with pytest.raises(ConfigError, match=r"unknown asset 'BTX'; did you mean 'BTC'\?"):
        official_venue("BTX")

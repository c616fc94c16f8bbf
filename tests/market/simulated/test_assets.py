from __future__ import annotations

import pytest

from synthcity.errors import ConfigError
from synthcity.market.simulated.assets import ASSETS, simulated_asset
from synthcity.market.venues.official import known_venues


def test_they_are_the_assets_of_the_network():
    assert set(ASSETS) == {asset for venue in known_venues() for asset in venue.symbols}


@pytest.mark.parametrize("asset", ASSETS.values(), ids=lambda asset: asset.name)
def test_squared_loadings_leave_room_for_what_is_its_own(asset):
    for world, group in (asset.group.return_loadings, asset.group.volatility_loadings):
        assert world > 0
        assert group > 0
        assert world**2 + group**2 < 1


def test_an_unknown_asset_is_refused():
    with pytest.raises(ConfigError, match=r"did you mean 'BTC'\? .*\(of the simulated market\)|did you mean 'BTC'"):
        simulated_asset("BTX")

"""Every packaged venue, by what it says of itself."""

from __future__ import annotations

import pytest

from synthcity.errors import ConfigError
from synthcity.market.venues.official import known_venues


@pytest.mark.parametrize("venue", known_venues(), ids=lambda venue: venue.name)
def test_a_venue_names_its_symbols_intervals_and_setting(venue):
    for asset, symbol in venue.symbols.items():
        assert venue.symbol(asset) == symbol
    assert [venue.interval(seconds) for seconds in (60, 300)] == ["1m", "5m"]
    assert venue.setting == f"SYNTHCITY_{venue.name.upper()}_URL"
    assert venue.url.startswith("https://")
    with pytest.raises(ConfigError, match=rf"unknown asset 'DOGE'.*\(on {venue.name}\)"):
        venue.symbol("DOGE")
    with pytest.raises(ConfigError, match=f"{venue.name} bars are fetched at 1m or 5m, not at 1h"):
        venue.interval(3600)

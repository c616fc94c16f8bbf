"""Sources of prices from outside this package, by name.

What an entry point ``synthcity.sources`` names, or ``module:Name``, is a ``Venue`` (all that is known of an exchange
with candles), or it is called without arguments and returns a ``VenueSource``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import cast

from synthcity import plugins
from synthcity.errors import ConfigError, unknown_name
from synthcity.market.sources import synth
from synthcity.market.sources.source import VenueSource
from synthcity.market.venues.candles import CandleSource
from synthcity.market.venues.official import known_venues
from synthcity.market.venues.venue import Venue
from synthcity.settings import Settings

KIND = "sources"
_NEEDED = ("venue", "fetch", "earliest")


def find_source(name: str, settings: Settings) -> VenueSource:
    """Return the source called ``name``: a venue, ``synth``, one of an installed distribution, or ``module:Name``.

    Raises:
        ConfigError: there is none, or it cannot be imported or is no source.
    """
    own: dict[str, Callable[[], VenueSource]] = {synth.NAME: partial(synth.SynthSource, settings)}
    own |= {venue.name: partial(CandleSource, venue, settings) for venue in known_venues()}
    names = plugins.merged(KIND, own)
    if name in own:
        return own[name]()
    if plugins.is_reference(name):
        plugins.allow(name)
    elif name not in names:
        raise ConfigError(unknown_name("source", name, names))
    plugin = plugins.find(KIND, name)
    assert plugin is not None
    made = plugins.load(plugin)
    if isinstance(made, Venue):
        return CandleSource(made, settings)
    try:
        source = made() if callable(made) else made
    except Exception as error:
        raise ConfigError(f"{plugin.reference} cannot be called: {type(error).__name__}: {error}") from error
    lacking = [word for word in _NEEDED if not hasattr(source, word)]
    if lacking:
        raise ConfigError(f"{plugin.reference} is no source of prices: it lacks {', '.join(lacking)}")
    return cast(VenueSource, source)

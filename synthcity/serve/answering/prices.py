"""Where prices come from when a prompt arrives."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

from synthcity.durations import DAY
from synthcity.errors import DataError, unknown_name
from synthcity.market.bars import Bars, History, Market
from synthcity.market.store import PriceStore
from synthcity.market.store.expected import Expected
from synthcity.market.venues.official import known_venues

_LOOK_SECONDS = 10.0
_log = logging.getLogger(__name__)
HISTORY_DAYS: Mapping[int, float] = MappingProxyType({60: 35.0, 300: 70.0})
"""How far back baselines and networks read, by resolution in seconds."""


class Prices(Protocol):
    """The latest prices. Called from several threads at once."""

    def history(self, asset: str, now: float) -> History:
        """What is known of ``asset`` at ``now`` (unix seconds), perhaps with other assets."""

    def age(self, asset: str, now: float) -> float:
        """Seconds since its last price known at ``now`` was observed, infinite without any."""

    @property
    def problem(self) -> str | None:
        """Why no newer prices will come; None while they may."""


class StorePrices:
    """Prices of a store that someone else fills; what is added there is seen within seconds."""

    def __init__(
        self,
        store: PriceStore,
        history_days: Mapping[int, float] = HISTORY_DAYS,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Args: ``history_days`` is the span kept by resolution in seconds, counted back from the last bar."""
        self._store = store
        self._history_days = history_days
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._markets: dict[str, Market] = {}
        self._looked_at: dict[str, float] = {}
        self._stamps: dict[str, Hashable] = {}
        self._expected: dict[str, Expected] = {}

    @property
    def assets(self) -> tuple[str, ...]:
        """What the store holds, sorted."""
        return tuple(sorted({series.asset for series in self._store.series()}))

    @property
    def problem(self) -> str | None:
        """None: whoever fills the store tells of its own troubles."""
        return None

    def history(self, asset: str, now: float) -> History:
        """All that is known of ``asset`` at ``now``; of several venues, by that which the network settles by.

        Raises:
            ConfigError: several others hold it.
            DataError: the store has nothing of it.
        """
        return self._market(asset).as_of(int(now))

    def age(self, asset: str, now: float) -> float:
        """Seconds since its last price known at ``now`` was observed, infinite without any.

        Raises:
            DataError: the store has nothing of it.
        """
        known = [bars.until(int(now)) for bars in self._market(asset).values()]
        return min((now - int(bars.observed[-1]) for bars in known if len(bars)), default=float("inf"))

    def _market(self, asset: str) -> Market:
        with self._lock:
            if self._monotonic() - self._looked_at.get(asset, -_LOOK_SECONDS) >= _LOOK_SECONDS:
                stamp = self._store.stamp(asset)
                if stamp != self._stamps.get(asset):
                    self._markets[asset] = self._load(asset)
                    self._stamps[asset] = stamp
                self._looked_at[asset] = self._monotonic()
            return self._markets[asset]

    def _load(self, asset: str) -> Market:
        held: dict[int, list[str]] = {}
        for series in self._store.series():
            if series.asset == asset:
                held.setdefault(series.resolution, []).append(series.venue)
        found: dict[tuple[str, int], Bars] = {}
        venues: set[str] = set()
        for resolution, days in self._history_days.items():
            if resolution in held:
                venue = _venue_of(asset, held[resolution])
                bars = self._store.load(asset, resolution, venue, tell=_log.warning)
                venues |= {venue} if venue else set(held[resolution])
                first = int(bars.time[-1]) - round(days * DAY)
                found[asset, resolution] = bars.slice(int((bars.time < first).sum()), len(bars))
        if not found:
            steps = ", ".join(f"{resolution}-second" for resolution in self._history_days)
            reason = f"no {steps} bars of {asset}" if held else unknown_name("asset", asset, self.assets)
            raise DataError(f"store {self._store.name}: {reason}")
        if asset not in self._expected:
            self._expected[asset] = Expected(self._store, venues)
        return Market(found, self._expected[asset].latest)


def _venue_of(asset: str, venues: Sequence[str]) -> str | None:
    """Of several venues that which the network settles by, beside whose bars its own closes may lie; else None."""
    official = (venue.name for venue in known_venues() if asset in venue.symbols and venue.name in venues)
    return next(official, None) if len(venues) > 1 else None

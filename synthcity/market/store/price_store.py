"""What a store of prices offers. Whoever keeps them elsewhere writes the six abstract methods; the rest follows."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from synthcity.errors import ConfigError, DataError, unknown_name
from synthcity.market.bars import Bars, Market, Times
from synthcity.market.calendar.events.calendar import Calendar, packaged
from synthcity.market.calendar.events.event import Event
from synthcity.market.calendar.events.outlook import Outlook, packaged_responses
from synthcity.market.calendar.events.response import Responses
from synthcity.market.check import Tell
from synthcity.market.store.coverage import Coverage, measure
from synthcity.market.store.series import SIMULATED, Series
from synthcity.market.times import format_resolution, format_time

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Verification:
    """What a look at every byte found.

    Attributes:
        num_checked: parts (files) that were read.
        num_unproven: those that are sound by all that can be seen, but were written without a checksum.
        damaged: a sentence for each that cannot be believed; it names the part and the remedy.
    """

    num_checked: int
    num_unproven: int
    damaged: tuple[str, ...]


class PriceStore(ABC):
    """Bars by asset, venue and resolution (seconds).

    Append-only: a known bar never changes, gaps stay gaps. A writer that is killed leaves nothing half written, and
    readers and writers may work at the same time.
    """

    @property
    @abstractmethod
    def name(self) -> str:
        """What it is called in sentences, e.g. its folder."""

    @abstractmethod
    def list_series(self) -> list[Series]:
        """All series that hold a bar, sorted; none is no error."""

    @abstractmethod
    def read(self, asset: str, venue: str, resolution: int, start: int, end: int, tell: Tell | None = None) -> Bars:
        """Bars of the days that ``[start, end)`` (unix seconds) touches; none is no error.

        Args:
            tell: takes a sentence for each day that is damaged, and the others are read; without it that is an error.

        Raises:
            DataError: a day is damaged; it names the part and the remedy.
        """

    @abstractmethod
    def append(self, asset: str, venue: str, resolution: int, bars: Bars, tell: Tell = _log.warning) -> int:
        """Add bars that are not there yet; those that are there stay as they are.

        Nothing is written unless all of ``bars`` pass ``check_bars``.

        Args:
            tell: called with a sentence if known bars come with other values.

        Returns:
            Number of bars added.

        Raises:
            DataError: a bar cannot be, most known bars come with other values, or nothing can be written.
        """

    @abstractmethod
    def stamp(self, asset: str) -> Hashable:
        """What changes whenever a bar of ``asset`` is added; cheap to ask for."""

    @abstractmethod
    def verify(self) -> Verification:
        """Read everything and check it."""

    def calendar(self) -> Calendar:
        """What is known to come: the packaged calendar, unless the store keeps one of its own.

        Raises:
            ConfigError: its own is damaged.
        """
        return packaged()

    def extend_calendar(self, events: Iterable[Event]) -> None:
        """Extend its own calendar; see ``Calendar.extended``.

        Raises:
            ConfigError: it keeps none, or the one that it keeps is damaged.
            DataError: nothing can be written.
        """
        raise ConfigError(f"store {self.name} keeps no calendar of its own; name a store that is a folder")

    def responses(self) -> tuple[Responses, ...]:
        """What events were seen to do: the packaged editions, and those that the store keeps.

        Raises:
            ConfigError: one of its own is damaged.
        """
        return packaged_responses()

    def keep_responses(self, edition: Responses) -> None:
        """Keep what was learned from its prices; raises as ``extend_calendar``."""
        raise ConfigError(f"store {self.name} keeps nothing that was learned of events; name a store that is a folder")

    def outlook(self, venues: Iterable[str]) -> Outlook | None:
        """What the calendar has prices of ``venues`` expect; None for simulated ones, which no release moves.

        Raises: as ``calendar``.
        """
        return None if SIMULATED in venues else Outlook(calendar=self.calendar(), responses=self.responses())

    def series(self) -> list[Series]:
        """All series, sorted by asset, venue and resolution.

        Raises:
            DataError: the store does not exist or holds nothing.
        """
        if not (found := self.list_series()):
            raise DataError(
                f"store {self.name} holds no bars; "
                "fill it with `synthcity data download`, `synthcity data import` or `synthcity data simulate`"
            )
        return found

    def find(self, asset: str, resolution: int, venue: str | None = None) -> Series:
        """Return the one series of this asset and resolution.

        Raises:
            ConfigError: several venues hold it and ``venue`` names none.
            DataError: none holds it.
        """
        have = self.series()
        of_asset = [series for series in have if series.asset == asset]
        if not of_asset:
            raise DataError(f"{unknown_name('asset', asset, {s.asset for s in have})} (in store {self.name})")
        fitting = [s for s in of_asset if s.resolution == resolution and venue in (None, s.venue)]
        if not fitting:
            wanted = f"{asset} {format_resolution(resolution)}" + (f" from {venue!r}" if venue else "")
            finer = any(resolution % series.resolution == 0 for series in of_asset)
            remedy = "; make them of those by `synthcity data resample`" if finer else ""
            raise DataError(f"store {self.name} holds no {wanted}; it has {', '.join(map(str, of_asset))}{remedy}")
        if len(fitting) > 1:
            names = " and ".join(repr(series.venue) for series in fitting)
            raise ConfigError(f"{asset} {format_resolution(resolution)} is stored from {names}; name the venue")
        return fitting[0]

    def load(
        self,
        asset: str,
        resolution: int,
        venue: str | None = None,
        start: int | None = None,
        end: int | None = None,
        tell: Tell | None = None,
    ) -> Bars:
        """Return the bars that open in ``[start, end)`` (unix seconds; None leaves that side open).

        ``venue`` may be left out where only one holds this asset and resolution; ``tell`` is as for ``read``.

        Raises:
            ConfigError: several venues hold the series and none was named.
            DataError: there is no such series or no bar in the range, or a part is damaged.
        """
        series = self.find(asset, resolution, venue)
        bars = self._read(series, start, end, tell)
        first = 0 if start is None else int(np.searchsorted(bars.time, start))
        last = len(bars) if end is None else int(np.searchsorted(bars.time, end))
        if first >= last:
            span = f"from {_bound(start, 'the beginning')} to {_bound(end, 'the end')}"
            whole = self._read(series, None, None, tell)
            have = f"{format_time(whole.time[0])} to {format_time(whole.time[-1])}" if len(whole) else "nothing sound"
            raise DataError(f"store {self.name} holds no bars of {series} {span}; it has {have}")
        return bars.slice(first, last)

    def load_market(
        self,
        assets: Sequence[str],
        resolution: int,
        start: int | None = None,
        end: int | None = None,
        *,
        extra: Sequence[tuple[str, int]] = (),
        venue: str | None = None,
    ) -> Market:
        """Return the market of ``assets`` at ``resolution``, and of the ``extra`` (asset, resolution) pairs.

        Raises: as ``load``; and ConfigError where the calendar is damaged.
        """
        keys = [(asset, resolution) for asset in assets] + list(extra)
        venues = {self.find(*key, venue).venue for key in keys}
        return Market({key: self.load(*key, venue, start, end) for key in keys}, self.outlook(venues))

    def info(self) -> list[tuple[Series, Coverage]]:
        """What the store holds and how whole each series is."""
        return [(s, measure(self.load(s.asset, s.resolution, s.venue))) for s in self.series()]

    def times(self, asset: str, venue: str, resolution: int, start: int, end: int) -> Times:
        """Opening times of the stored bars of the days that ``[start, end)`` touches; none is no error."""
        return self.read(asset, venue, resolution, start, end).time

    def span(self, series: Series) -> tuple[int, int]:
        """When its first bar opens and its last one ends, unix seconds."""
        bars = self._read(series, None, None, None)
        return int(bars.time[0]), int(bars.observed[-1])

    def _read(self, series: Series, start: int | None, end: int | None, tell: Tell | None) -> Bars:
        first, last = _ALWAYS[0] if start is None else start, _ALWAYS[1] if end is None else end
        return self.read(series.asset, series.venue, series.resolution, first, last, tell)


_ALWAYS = (0, 32_503_680_000)  # the years 1970 to 3000


def _bound(seconds: int | None, otherwise: str) -> str:
    return otherwise if seconds is None else format_time(seconds)

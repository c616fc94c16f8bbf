"""The network's own prices: the realised paths of its past prompts, by its public API, no key.

They are the very numbers that answers were scored by, round the clock for the perpetuals too, and reach back further
than the venue that made them keeps its candles. Nothing but closes is told. Paths of prompts that began at different
minutes are joined (``joining``): six requests bring a day of minutes, two a day of five-minute bars.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from synthcity.durations import DAY, MINUTE
from synthcity.errors import ConfigError, SourceError, unknown_name
from synthcity.market.bars import Bars, Floats
from synthcity.market.check import Tell
from synthcity.market.columns import bars_of_closes
from synthcity.market.sources.joining import Joined, Span, join
from synthcity.market.sources.synthapi import PAUSE_SECONDS, SynthApi
from synthcity.market.times import format_resolution, format_time
from synthcity.market.venues.candles import Clock, system_clock
from synthcity.market.venues.http import Patience
from synthcity.settings import Settings
from synthcity.sn50.competitions import Competition, get_rules

NAME = "synth"
SETTLED_AFTER_SECONDS = 90
"""How long after its end the network begins to score a prompt; earlier there is no path."""

_RESOLUTIONS = (MINUTE, 5 * MINUTE)
_FEW = 10  # of so few shared prices, all may differ


class SynthSource:
    """Bars of closes out of the network's realised paths, under the venue ``synth``."""

    venue = NAME
    past_pause_seconds = PAUSE_SECONDS

    def __init__(
        self, settings: Settings | None = None, *, patience: Patience | None = None, clock: Clock = system_clock
    ) -> None:
        """Args: ``patience`` is by default what the API's limits ask for."""
        self._settings, self._patience, self._clock = settings, patience, clock

    def earliest(self, resolution: int) -> int:
        """It keeps everything since its first prompt."""
        return 0

    def fetch(self, asset: str, resolution: int, start: int, end: int, tell: Tell) -> Iterator[Bars]:
        """Yield the bars of one UTC day at a time; see ``Source.fetch``.

        Which paths tell of a day does not depend on the span that is asked for, so neither do its prices. At the end
        ``tell`` says how many of the shared prices contradicted each other.

        Raises:
            SourceError: also if most of what two paths tell is contradictory.
        """
        competitions = _competitions(asset)
        if resolution not in _RESOLUTIONS:
            have = " or ".join(map(format_resolution, _RESOLUTIONS))
            raise ConfigError(f"{NAME} bars are made at {have}, not at {format_resolution(resolution)}")
        first_day = start // DAY * DAY
        with SynthApi(self._settings, patience=self._patience) as api:
            days = _Days(api, asset, competitions, first_day, end, self._clock())
            try:
                for day in range(first_day, end, DAY):
                    opens = np.arange(day, day + DAY, resolution, dtype=np.int64)
                    close = days.closes(opens + resolution - MINUTE)
                    inside = (opens >= start) & (opens < end) & np.isfinite(close)
                    if inside.any():
                        yield bars_of_closes(opens[inside], close[inside], resolution)
            finally:
                for sentence in days.told():
                    tell(sentence)


class _Days:
    """The prompts of a span, and the paths of those that were asked for, as long as the next day may need them."""

    def __init__(
        self, api: SynthApi, asset: str, competitions: list[Competition], start: int, end: int, now: float
    ) -> None:
        self._api, self._asset = api, asset
        self._spans: dict[Span, Competition] = {}
        self._paths: dict[Span, Floats | None] = {}
        self._joined: list[Joined] = []
        self._num_impossible = self._num_off_grid = 0
        for one in competitions:
            # to the end of the last day: what is asked for decides nothing about which paths tell of it
            for begin in api.prompts(asset, one, start - one.time_length, -(-end // DAY) * DAY):
                if begin % MINUTE:
                    self._num_off_grid += 1
                elif begin + one.time_length + SETTLED_AFTER_SECONDS <= now:
                    span = Span(start=begin, length=one.time_length, increment=one.time_increment)
                    self._spans[span] = one

    def closes(self, minutes: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Floats:
        """Closes (n,) of the minute bars of one day that open at ``minutes``, NaN where no path tells."""
        first, last = int(minutes[0]), int(minutes[-1])
        self._paths = {span: path for span, path in self._paths.items() if span.end >= first}
        near = [span for span in self._spans if span.start <= last and span.end >= first]
        joined = join(minutes, near, self._path)
        self._joined.append(joined)
        if joined.num_shared >= _FEW and joined.num_conflicts > joined.num_shared / 2:
            raise SourceError(
                f"the Synth API's paths of {self._asset} contradict each other in {joined.num_conflicts:,} of "
                f"{joined.num_shared:,} minutes, {_example(joined)}; ask another day, or take another source"
            )
        return joined.close

    def told(self) -> Iterator[str]:
        """What was left out or settled, a sentence each."""
        num_conflicts = sum(one.num_conflicts for one in self._joined)
        if num_conflicts:
            first = next(one for one in self._joined if one.num_conflicts)
            num_shared = sum(one.num_shared for one in self._joined)
            yield (
                f"{NAME}: {num_conflicts:,} of {num_shared:,} prices of {self._asset} that two paths tell differ, "
                f"{_example(first)}; the path that ended later counts"
            )
        if self._num_impossible:
            yield f"{NAME}: {self._num_impossible:,} prices of {self._asset} left out, which are not above zero"
        if self._num_off_grid:
            yield f"{NAME}: {self._num_off_grid:,} prompts of {self._asset} left out, which begin between two minutes"

    def _path(self, span: Span) -> Floats | None:
        if span not in self._paths:
            path = self._api.realised(self._asset, self._spans[span], span.start)
            if path is not None:
                impossible = np.isinf(path) | (path <= 0)
                self._num_impossible += int(impossible.sum())
                path = np.where(impossible, np.nan, path)
            self._paths[span] = path
        return self._paths[span]


def _example(joined: Joined) -> str:
    assert joined.first_conflict is not None
    minute, one, other = joined.first_conflict
    return f"the first at {format_time(minute)} ({one:g} and {other:g})"


def _competitions(asset: str) -> list[Competition]:
    """Those that ask for an asset, the longest paths first.

    Raises:
        ConfigError: none does.
    """
    rules = get_rules()
    found = [one for one in rules.competitions.values() if asset in one.assets]
    if not found:
        known = {name for one in rules.competitions.values() for name in one.assets}
        raise ConfigError(f"{unknown_name('asset', asset, known)} (that the network asks for)")
    return sorted(found, key=lambda one: -one.time_length)

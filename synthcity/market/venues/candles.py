"""From a venue's candles (milliseconds, numbers as strings) to bars."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from synthcity.errors import SourceError
from synthcity.market.bars import Bars
from synthcity.market.check import Tell, sift_bars
from synthcity.market.columns import COLUMNS, bars_from_columns
from synthcity.market.times import format_time
from synthcity.market.venues.http import Patience, VenueClient
from synthcity.market.venues.venue import Request, Row, Venue
from synthcity.settings import Settings

SETTLED_AFTER_SECONDS = 5  # clocks differ a little, and a venue may amend a candle in its first moments
_SPARE = 10  # candles that may drop out of reach while a download runs
_FEW = 100  # so few candles every venue sends at a time; of more, its limit may cut off the beginning
_YEAR_3000 = 32_503_680_000
Clock = Callable[[], float]


def system_clock() -> float:
    """Unix seconds now; looked up at each call so that ``time.time`` can be replaced."""
    return time.time()


class CandleSource:
    """The bars of one venue."""

    def __init__(
        self,
        venue: Venue,
        settings: Settings | None = None,
        *,
        patience: Patience | None = None,
        clock: Clock = system_clock,
    ) -> None:
        """Args: ``patience`` is by default what the venue's limits ask of a long download."""
        settings = Settings.load() if settings is None else settings
        self._venue, self._url = venue, settings.venue_urls.get(venue.name, venue.url)
        self._patience = Patience(pause_seconds=venue.pause_seconds) if patience is None else patience
        self._clock = clock

    @property
    def venue(self) -> str:
        """The venue's name."""
        return self._venue.name

    @property
    def past_pause_seconds(self) -> float:
        """As the venue's."""
        return self._venue.past_pause_seconds

    @property
    def assets(self) -> Mapping[str, str]:
        """Assets whose official price is made here, and what they are called here."""
        return self._venue.symbols

    def earliest(self, resolution: int) -> int:
        """Opening time of the oldest candle that is kept, less a few to spare."""
        return 0 if self._venue.num_kept is None else self._oldest(resolution) + _SPARE * resolution

    def fetch(self, asset: str, resolution: int, start: int, end: int, tell: Tell) -> Iterator[Bars]:
        """Yield as many bars at a time as the venue sends; see ``Source.fetch``.

        An answer that is shorter than what was asked for ends at the venue's limit or at minutes without a trade: the
        rest is asked for again, until the venue says that there is nothing.

        Raises:
            SourceError: also if ``start`` lies before what the venue keeps, or a candle outside the span that was
                asked for comes.
        """
        venue, step = self._venue, resolution
        symbol, interval = venue.symbol(asset), venue.interval(resolution)
        if start < self._oldest(resolution):
            raise SourceError(
                f"{venue.name} keeps the last {venue.num_kept} candles only: {asset} {interval} from "
                f"{format_time(start)} is gone, ask from {format_time(self.earliest(resolution))} on"
            )
        finished = int((self._clock() - SETTLED_AFTER_SECONDS) // step) * step
        stop = min(-(-end // step) * step, finished)
        remedy = "what was fetched is stored, repeat the command"
        with VenueClient(venue.name, self._url, venue.setting, self._patience, remedy, venue.other_region) as client:

            def ask(first: int, last: int) -> Page | None:
                request = Request(symbol=symbol, interval=interval, first=first, last=last)
                return read_page(venue, venue.candles(client, request), request, step, self._clock(), tell)

            for begin in range(-(-start // step) * step, stop, venue.page * step):
                yield from _all_between(ask, begin, min(begin + venue.page * step, stop) - step, step)

    def _oldest(self, resolution: int) -> int:
        if self._venue.num_kept is None:
            return 0
        return (int(self._clock()) // resolution - self._venue.num_kept + 1) * resolution


@dataclass(frozen=True, eq=False, kw_only=True)
class Page:
    """The bars of one answer, and the opening times of its first and last row, whether they can be or not."""

    bars: Bars
    first: int
    last: int


def _all_between(ask: Callable[[int, int], Page | None], first: int, last: int, step: int) -> Iterator[Bars]:
    """Ask for the candles that open in ``[first, last]`` until all have come or there are no more."""
    is_long = (last - first) // step >= _FEW
    pending: list[tuple[int, int] | Bars] = [(first, last)]
    while pending:
        if isinstance(span := pending.pop(), Bars):
            yield span
            continue
        first, last = span
        if (page := ask(first, last)) is None:  # nobody traded
            continue
        if page.last < last:
            pending.append((page.last + step, last))
        if len(page.bars):
            pending.append(page.bars)
        if page.first > first and is_long:  # it may send the newest ones first
            pending.append((first, page.first - step))


def read_page(venue: Venue, rows: Sequence[Row], request: Request, step: int, now: float, tell: Tell) -> Page | None:
    """Read an answer of finished candles; None if it holds none.

    The candle that still runs may come along and is dropped. Rows that cannot be are left out and told.

    Raises:
        SourceError: most rows are no candles, or one lies outside the span that was asked for.
    """
    table = np.array([_numbers(row) for row in rows], dtype=np.float64).reshape(-1, 6)
    seconds = table[:, 0] / 1000
    readable = np.isfinite(seconds)
    foreign = sum(not ok and row is not None for row, ok in zip(rows, readable, strict=True))
    if 2 * foreign > len(rows):
        raise SourceError(f"{venue.name} answers with something else than candles; check {venue.setting}")
    if not readable.all():
        tell(f"{venue.name}'s answer: {(~readable).sum():,} of {len(rows):,} rows left out, which are no candles")
    running = (seconds <= now) & (seconds + step + SETTLED_AFTER_SECONDS > now)
    table, seconds = table[readable & ~running], seconds[readable & ~running]
    if not len(table):
        return None
    if (outside := (seconds < request.first) | (seconds > request.last)).any():
        raise SourceError(
            f"{venue.name} was asked for {request.symbol} {request.interval} from {format_time(request.first)} to "
            f"{format_time(request.last)} and sent a candle of {_moment(float(seconds[outside.argmax()]))}; its times "
            f"must be milliseconds: check {venue.setting}"
        )
    columns = {name: np.ascontiguousarray(table[:, 1 + k]) for k, name in enumerate(COLUMNS)}
    opens = np.floor(seconds).astype(np.int64)
    opens[seconds != opens] += 1 - opens[seconds != opens] % step  # on no grid, like the fraction that is lost here
    bars = bars_from_columns(opens, columns, step)
    first, last = int(bars.time.min()) // step * step, int(bars.time.max()) // step * step
    return Page(bars=sift_bars(bars, f"{venue.name}'s answer", tell, SourceError), first=first, last=last)


def _numbers(row: Row) -> list[float]:
    """The six numbers of a row, NaN for what is none."""
    return [_number(value) for value in row] if isinstance(row, list) and len(row) == 6 else [np.nan] * 6


def _number(value: object) -> float:
    if not isinstance(value, int | float | str) or isinstance(value, bool):
        return np.nan
    try:
        return float(value)
    except (ValueError, OverflowError):
        return np.nan


def _moment(seconds: float) -> str:
    return format_time(int(seconds)) if 0 <= seconds < _YEAR_3000 else f"the unix second {seconds:.0f}"

"""Live prices: all series that a miner needs, kept warm by one thread a venue.

A venue that is down, slow, limited or forbidden leaves the others alone and costs nothing but fresh prices: what is
known stays, ``age`` says how old it is, ``health`` why. Nothing is filled in.
"""

from __future__ import annotations

import logging
import math
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from synthcity.durations import DAY
from synthcity.errors import ConfigError, SourceError, SynthcityError
from synthcity.market.bars import History, Market
from synthcity.market.live import LiveSeries, SeriesHealth
from synthcity.market.store import PriceStore
from synthcity.market.store.expected import Expected
from synthcity.market.venues.candles import Clock, system_clock
from synthcity.market.venues.http import Patience
from synthcity.market.venues.official import official_source
from synthcity.settings import Settings

MINUTE = 60
_WAKE_SECONDS = 0.5
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class LivePricesConfig:
    """What to keep warm, and how hard to try.

    Attributes:
        assets: the network's names.
        history_days: span kept by resolution in seconds; minutes are needed, since prompts are settled by them.
            The default is what the baselines and networks here read.
        poll_seconds: between two questions for a series whose newest bar is late; doubled after each failure.
        longest_pause_seconds: most that is waited after failures, unless the venue asks for more.
        past_pause_seconds: between two questions about the past, None for what the venue's limits ask.
        patience: of a single question. Short: a late price is worth nothing, and the next question comes soon.
    """

    assets: tuple[str, ...]
    history_days: Mapping[int, float] = field(default_factory=lambda: MappingProxyType({MINUTE: 35.0, 300: 70.0}))
    poll_seconds: float = 20.0
    longest_pause_seconds: float = 60.0
    past_pause_seconds: float | None = None
    patience: Patience = field(
        default_factory=lambda: Patience(attempts=2, longest_wait_seconds=5.0, timeout_seconds=10.0)
    )

    def __post_init__(self) -> None:
        if not self.assets or len(set(self.assets)) < len(self.assets):
            raise ConfigError(f"a feed needs each asset once and at least one, got {list(self.assets)}")
        if MINUTE not in self.history_days:
            raise ConfigError(f"a feed needs {MINUTE}-second bars, got {sorted(self.history_days)}")


class LivePrices:
    """Bars of all assets as they come. ``start`` and ``stop`` its threads, or use it as a context manager.

    Without threads, ``poll`` makes one round.
    """

    def __init__(
        self,
        store: PriceStore,
        config: LivePricesConfig,
        settings: Settings | None = None,
        *,
        clock: Clock = system_clock,
    ) -> None:
        """Read what the store holds.

        Raises:
            ConfigError: an asset's price is made by no venue here, or the store's calendar is damaged.
        """
        settings = Settings.load() if settings is None else settings
        sources = {
            asset: official_source(asset, settings, patience=config.patience, clock=clock) for asset in config.assets
        }
        self._expected = Expected(store, {source.venue for source in sources.values()})
        self._series = {
            (asset, resolution): LiveSeries(store, source, asset, resolution, round(days * DAY))
            for asset, source in sources.items()
            for resolution, days in config.history_days.items()
        }
        for series in self._series.values():
            series.load(clock())
        pauses = {source.venue: source.past_pause_seconds for source in sources.values()}
        self._venues = [
            _Follower(venue, [s for s in self._series.values() if s.series.venue == venue], pause, config, clock)
            for venue, pause in pauses.items()
        ]

    def start(self) -> None:
        """Begin to follow the venues."""
        for venue in self._venues:
            venue.start()

    def stop(self) -> None:
        """End; a question that is under way is waited for."""
        for venue in self._venues:
            venue.stop()

    def __enter__(self) -> LivePrices:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def poll(self) -> bool:
        """Make one round: ask for all that is late, then for one piece of the past; whether anything was asked."""
        rounds = [venue.poll() for venue in self._venues]
        return any(rounds)

    def history(self, asset: str, now: float) -> History:
        """All that is known at ``now`` (unix seconds), the other assets included.

        Raises:
            ConfigError: the feed does not follow ``asset``.
        """
        self._minutes(asset)
        bars = {key: series.bars for key, series in self._series.items()}
        return Market(bars, self._expected.latest).as_of(int(now))

    def age(self, asset: str, now: float) -> float:
        """Seconds since the last price of ``asset`` known at ``now`` was observed, infinite without any.

        Raises:
            ConfigError: the feed does not follow ``asset``.
        """
        bars = self._minutes(asset).bars.until(int(now))
        return now - int(bars.observed[-1]) if len(bars) else math.inf

    def health(self) -> list[SeriesHealth]:
        """How each series stands; the end of the thread that follows it is a problem of its own."""
        ended = {venue.name: venue.problem for venue in self._venues}
        found = [series.health() for series in self._series.values()]
        return [
            replace(one, problem="; ".join(filter(None, (ended[one.series.venue], one.problem))) or None)
            for one in found
        ]

    @property
    def is_alive(self) -> bool:
        """Whether every venue is being followed."""
        return all(venue.is_alive for venue in self._venues)

    @property
    def problem(self) -> str | None:
        """Which venues are followed no longer, a sentence each; None while all are."""
        return "; ".join(filter(None, (venue.problem for venue in self._venues))) or None

    def _minutes(self, asset: str) -> LiveSeries:
        if (asset, MINUTE) not in self._series:
            have = ", ".join(sorted({name for name, _ in self._series}))
            raise ConfigError(f"the feed does not follow {asset!r}; it follows {have}")
        return self._series[asset, MINUTE]


@dataclass(eq=False, kw_only=True)
class _Question:
    """Something to ask a venue about one series, again and again."""

    series: LiveSeries
    name: str
    is_wanted: Callable[[float], bool]
    ask: Callable[[float], None]
    pause_seconds: float  # while the answer is not there yet
    not_before: float = -math.inf
    num_failures: int = 0


class _Follower:
    """Follows the series of one venue, on a thread of its own."""

    def __init__(
        self, name: str, series: Iterable[LiveSeries], past_pause: float, config: LivePricesConfig, clock: Clock
    ) -> None:
        self.name, self._config, self._clock = name, config, clock
        series = sorted(series, key=lambda one: one.series.resolution)  # a forecast starts from minutes
        self._newest = [
            _Question(series=s, name="newest", is_wanted=s.is_behind, ask=s.refresh, pause_seconds=config.poll_seconds)
            for s in series
        ]
        self._past = deque(
            _Question(series=s, name="past", is_wanted=s.is_lacking, ask=s.back_fill, pause_seconds=0.0) for s in series
        )
        self._past_pause = past_pause if config.past_pause_seconds is None else config.past_pause_seconds
        self._past_not_before = -math.inf
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._follow, name=f"feed of {name}", daemon=True)

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    @property
    def problem(self) -> str | None:
        """What is wrong if the thread ended although nobody stopped it."""
        if self._thread.ident is None or self._thread.is_alive() or self._stopping.is_set():
            return None
        return f"the thread that follows {self.name} has ended, its prices grow old; start again and report the log"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()

    def poll(self) -> bool:
        """Ask all that is due of the newest, then one question about the past; whether anything was asked."""
        num_asked = 0
        for question in self._newest:
            num_asked += self._ask_if_due(question)
        return num_asked + self._ask_past() > 0

    def _ask_past(self) -> bool:
        """Ask for a piece of one series' past; they take turns, so that all of them soon have some."""
        if self._clock() < self._past_not_before:
            return False
        for _ in range(len(self._past)):
            question = self._past[0]
            self._past.rotate(-1)
            if self._ask_if_due(question):
                self._past_not_before = self._clock() + self._past_pause
                return True
        return False

    def _follow(self) -> None:
        busy = False
        while not self._stopping.wait(0.0 if busy else _WAKE_SECONDS):
            try:
                busy = self.poll()
            except Exception:  # noqa: BLE001 - prices that come later are worth more than the end of the thread
                _log.exception("%s: a fault of this program; it goes on", self.name)
                busy = False

    def _ask_if_due(self, question: _Question) -> bool:
        now = self._clock()
        if self._stopping.is_set() or now < question.not_before or not question.is_wanted(now):
            return False
        try:
            question.ask(now)
        except SynthcityError as error:
            self._fail(question, str(error), error.pause_seconds if isinstance(error, SourceError) else 0.0)
        except Exception as error:  # noqa: BLE001 - nothing that a venue sends may end its thread
            _log.exception("%s: a fault of this program while asking %s", question.series.series, self.name)
            self._fail(question, f"{self.name} brought on a fault of this program ({type(error).__name__}: {error})")
        else:
            question.num_failures, asked = 0, self._clock()
            if question.is_wanted(asked):  # it did not bring what should be there
                question.not_before = asked + question.pause_seconds
            question.series.note(question.name, None)
        return True

    def _fail(self, question: _Question, problem: str, pause_seconds: float = 0.0) -> None:
        config = self._config
        question.series.note(question.name, problem)
        pause = config.poll_seconds * 2.0 ** min(question.num_failures, 10)
        question.num_failures += 1
        question.not_before = self._clock() + min(pause, config.longest_pause_seconds)
        if pause_seconds:  # it means this address, whatever is asked
            for one in (*self._newest, *self._past):
                one.not_before = max(one.not_before, self._clock() + pause_seconds)

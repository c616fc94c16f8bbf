"""From a sweep file to prices: everything that can be wrong with them is found here, before Ray starts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from synthcity.durations import DAY
from synthcity.errors import ConfigError, DataError, unknown_name
from synthcity.forecast.bundles.facts import Facts
from synthcity.forecast.evaluation.backtest import backtest_prompts, check_on_grid, realised_prices
from synthcity.market.bars import Market
from synthcity.market.columns import closes_alone
from synthcity.market.dataset import Dataset, build_dataset
from synthcity.market.finer import COARSE, lengthen
from synthcity.market.periods import Period, Periods
from synthcity.market.simulated import SimulatedMarket
from synthcity.market.store import open_store
from synthcity.market.store.opening import is_address
from synthcity.market.store.series import SIMULATED
from synthcity.market.times import format_time
from synthcity.market.windows import WindowSpec
from synthcity.research.informed.forecaster import Informed
from synthcity.search.config import DataConfig, SearchConfig
from synthcity.sn50.competitions import Competition, Rules, get_competition, get_rules
from synthcity.sn50.prompt import Prompt

_SLACK_DAYS = 5  # a holiday week-end at either end of the periods is no lack of data


@dataclass(frozen=True, eq=False, kw_only=True)
class SearchData:
    """The prices of one search and the rules they are scored by.

    ``market`` reaches to the end of the test period; ``dataset`` ends with validation. ``inputs``: what was learned of
    the user's library, where something of it is used.
    """

    competition: Competition
    rules: Rules
    assets: tuple[str, ...]
    venues: tuple[str, ...]
    periods: Periods
    market: Market
    dataset: Dataset
    validation_every: int
    test_every: int
    inputs: Informed | None = None

    @property
    def facts(self) -> Facts:
        """What a bundle tells of its training."""
        return Facts.of_search(
            venues=self.venues,
            competition=self.competition.name,
            rules=self.rules.date,
            assets=self.assets,
            periods=self.periods,
            drawn_minutes=bool(self._drawn),
        )

    @property
    def _drawn(self) -> dict[str, Period]:
        """From which assets' drawn minutes networks learn, and when those lie."""
        own = {asset: int(self.market[asset, self.dataset.spec.increment].observed[0]) for asset in self.assets}
        first = {asset: max(int(self.dataset.tables[asset].time[0]), self.periods.train.start) for asset in own}
        return {asset: Period(start=first[asset], end=own[asset]) for asset in own if first[asset] < own[asset]}

    @property
    def task(self) -> str:
        """What is forecast and how it is judged, for a language model."""
        return f"Competition {self.competition.name}: paths of {', '.join(self.assets)}, judged by their CRPS."

    @property
    def notes(self) -> tuple[str, ...]:
        """What the prices make of the networks, a sentence each."""
        closes = [asset for asset in self.assets if closes_alone(self.market[asset, self.dataset.spec.increment]).any()]
        told = []
        if self._drawn:
            spans = "; ".join(f"{asset} {drawn}" for asset, drawn in self._drawn.items())
            told.append(
                "Networks also learn from minutes that are drawn between five-minute bars, and nothing is scored on "
                f"those: {spans}."
            )
        begin = {asset: int(self.dataset.tables[asset].time[0]) for asset in self.assets}
        if late := [a for a in self.assets if begin[a] > self.periods.train.start + _SLACK_DAYS * DAY]:
            firsts = "; ".join(f"{asset} {format_time(begin[asset])}" for asset in late)
            told.append(
                f"Prices begin after the train period does, and networks learn from later days alone: {firsts}."
            )
        if closes:
            told.append(
                f"The prices of {', '.join(closes)} are closes alone, so no network reads the high and low of a bar, "
                "here and when it answers."
            )
        return tuple(told)

    @property
    def weights(self) -> dict[str, float]:
        """Coefficient of each asset."""
        return {asset: self.rules.coefficient(asset) for asset in self.assets}

    def validation_prompts(self, *, fresh: bool) -> list[Prompt]:
        """Prompts of the validation period: those the search sees, or ``fresh`` ones half way between them."""
        shift = self.validation_every // 2 // self.competition.time_increment * self.competition.time_increment
        prompts = self._prompts(self.periods.validation, self.validation_every, shift if fresh else 0)
        if fresh:
            return prompts
        # a training window starts at an observed price; where a market closes, baselines must not be asked more
        return [p for p in prompts if np.isfinite(self.market.realised(p.asset, p.grid[:1], p.time_increment)).all()]

    def test_prompts(self) -> list[Prompt]:
        """Prompts of the test period."""
        return self._prompts(self.periods.test, self.test_every, 0)

    def _prompts(self, period: Period, every: int, shift: int) -> list[Prompt]:
        return backtest_prompts(
            self.competition, self.assets, period.start + shift, period.end, every, rules=self.rules
        )


def load_data(config: SearchConfig) -> SearchData:
    """Load or simulate the prices that ``config`` asks for and build the training windows.

    Raises:
        ConfigError: unknown competition, rules or asset, or periods that hold no prompt.
        DataError: the store is empty or damaged, or has too little history.
    """
    rules, competition = _rules(config)
    data, periods = config.data, config.data.periods
    periods.check_horizon(competition.time_length)
    assets = _assets(data, competition)
    every = _whole_steps("validation_every", data.validation_every, competition)
    test_every = _whole_steps("test_every", data.test_every, competition)
    for period, apart in ((periods.validation, every), (periods.test, test_every)):
        check_on_grid(competition, period.start, apart)
    market = load_prices(data, assets, competition.time_increment, periods.test.end)
    for asset in assets:
        _check_history(market, asset, competition.time_increment, periods)
    spec = WindowSpec.of(
        competition.time_increment,
        competition.time_length // competition.time_increment,
        ranges=not any(closes_alone(bars).any() for bars in market.values()),
        bursts=data.bursts,
        calendar=data.calendar and market.foresight is not None,
    )
    known = market.until(periods.validation.end)
    dataset = build_dataset(
        _lengthened(known, data, assets, spec) if data.drawn_minutes else known,
        competition=competition.name,
        rules=rules.date,
        spec=spec,
        assets=assets,
        train=(periods.train.start, periods.train.end),
        validation=(periods.validation.start, periods.validation.end),
        validation_every=every,
        coefficients={asset: rules.coefficient(asset) for asset in assets},
    )
    found = SearchData(
        competition=competition,
        rules=rules,
        assets=assets,
        venues=_venues(data, assets, competition.time_increment),
        periods=periods,
        market=market,
        dataset=dataset,
        validation_every=every,
        test_every=test_every,
    )
    _check_prompts("validation", found.validation_prompts(fresh=False), found)
    _check_prompts("fresh validation", found.validation_prompts(fresh=True), found)
    _check_prompts("test", found.test_prompts(), found)
    return found


def _rules(config: SearchConfig) -> tuple[Rules, Competition]:
    try:
        rules = get_rules(config.rules)
        return rules, get_competition(config.competition, rules)
    except ValueError as error:
        raise ConfigError(str(error)) from error


def _assets(data: DataConfig, competition: Competition) -> tuple[str, ...]:
    if data.assets is None:
        return tuple(competition.assets)
    for asset in data.assets:
        if asset not in competition.assets:
            raise ConfigError(f"data.assets: {unknown_name('asset', asset, competition.assets)}")
    if len(set(data.assets)) < len(data.assets):
        raise ConfigError(f"data.assets names an asset twice: {', '.join(data.assets)}")
    return data.assets


def _whole_steps(name: str, value: float, competition: Competition) -> int:
    if value % competition.time_increment:
        raise ConfigError(
            f"data.{name} is {value:g} seconds; it must be a multiple of the {competition.time_increment} seconds "
            f"between two points of {competition.name}"
        )
    return int(value)


def _venues(data: DataConfig, assets: tuple[str, ...], resolution: int) -> tuple[str, ...]:
    """Whose prices these are; a store may hold simulated ones too."""
    if data.source == SIMULATED:
        return (SIMULATED,)
    assert data.path is not None
    store = open_store(data.path)
    return tuple(sorted({store.find(asset, resolution, data.venue).venue for asset in assets}))


def load_prices(data: DataConfig, assets: tuple[str, ...], resolution: int, end: int) -> Market:
    """Load or simulate the prices of ``assets`` up to ``end`` (unix s), without any windows.

    Raises:
        DataError: there is no store, it is damaged, or it lacks an asset.
    """
    if data.source == SIMULATED:
        return SimulatedMarket(data.simulated).market(assets, end=end, resolution=resolution)
    assert data.path is not None
    if not is_address(data.path) and not Path(data.path).is_dir():
        raise DataError(f"there is no price store at {data.path!r}; set data.path or fill one with `synthcity data`")
    return open_store(data.path).load_market(assets, resolution, end=end, venue=data.venue)


def _lengthened(market: Market, data: DataConfig, assets: tuple[str, ...], spec: WindowSpec) -> Market:
    """Return ``market`` with drawn minutes before each asset's first, from the five-minute bars of the same venue."""
    if data.source == SIMULATED or spec.increment >= COARSE:
        why = "simulated prices have every minute" if data.source == SIMULATED else "its steps are five minutes already"
        raise ConfigError(f"data.drawn_minutes: {why}, so there is none to draw; leave it false")
    assert data.path is not None
    store = open_store(data.path)
    venues = {asset: store.find(asset, spec.increment, data.venue).venue for asset in assets}
    held = {(one.asset, one.venue) for one in store.series() if one.resolution == COARSE}
    coarse = {a: store.load(a, COARSE, venue) for a, venue in venues.items() if (a, venue) in held}
    return lengthen(market, coarse, spec.increment, data.periods.train.start - spec.lookback * spec.increment)


def _check_prompts(name: str, prompts: list[Prompt], data: SearchData) -> None:
    """Refuse a period in which an asset has no prompt that can be scored: better now than after the training."""
    scored = {prompt.asset for prompt in prompts if realised_prices(data.market, prompt) is not None}
    for asset in data.assets:
        if asset not in scored:
            raise DataError(
                f"{asset} has no {name} prompt whose last price was observed; "
                "lengthen the period, ask more often (data.validation_every, data.test_every) or import more prices"
            )


def _check_history(market: Market, asset: str, resolution: int, periods: Periods) -> None:
    bars = market[asset, resolution]
    first, last = int(bars.observed[0]), int(bars.observed[-1])
    have = f"{asset} has prices from {format_time(first)} to {format_time(last)}"
    if first >= periods.train.end:
        raise DataError(f"{have}: nothing of it lies in the train period {periods.train}; move data.periods.train")
    if last < periods.test.end - _SLACK_DAYS * DAY:
        raise DataError(
            f"{have}, but data.periods.test ends on {format_time(periods.test.end)}; import later prices or end it "
            "earlier"
        )

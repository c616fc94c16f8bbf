"""From a research file to prices, prompts and a judge: whatever is wrong with them is found here, before any look."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from synthcity.durations import DAY
from synthcity.errors import ConfigError, DataError
from synthcity.forecast.baselines import baseline
from synthcity.forecast.baselines.fhs import Fhs
from synthcity.market.bars import Market
from synthcity.market.store import open_store
from synthcity.market.store.series import SIMULATED
from synthcity.market.times import format_time
from synthcity.research.config import ResearchConfig
from synthcity.research.examiner import Examiner
from synthcity.research.known import Known, known_of
from synthcity.research.measuring.cases import Cases, build_cases
from synthcity.research.measuring.contest import Contest
from synthcity.research.measuring.law import horizons
from synthcity.research.measuring.trial import Judge
from synthcity.research.worlds.world import STEP, World, draw_world
from synthcity.sn50.competitions import Competition, get_competition, get_rules

WORLD_ASSETS = ("BTC", "ETH", "SOL")
HISTORY = 62 * DAY  # before the first prompt: what the baselines look back


@dataclass(frozen=True, eq=False, kw_only=True)
class Setting:
    """Everything that inputs and forecasters are tested on.

    ``market`` and ``known`` hold the same prices, once for baselines and once for inputs. ``notes`` are sentences on
    what was left out. ``world`` is None for prices of a store, which may be ``simulated``, too.
    """

    market: Market
    known: Known
    cases: Cases
    judge: Judge
    contest: Contest
    notes: tuple[str, ...]
    world: World | None
    simulated: bool

    @property
    def examiner(self) -> Examiner:
        """Whoever tests either."""
        return Examiner(self.judge, self.contest)


@dataclass(frozen=True, eq=False, kw_only=True)
class Given:
    """Prices that somebody has at hand; ``simulated``: nobody ever paid them."""

    market: Market
    simulated: bool


def prepare(
    config: ResearchConfig, progress: Callable[[int, int], None] | None = None, *, given: Given | None = None
) -> Setting:
    """Load or draw the prices, and ask the baseline at every prompt.

    Args:
        config: of the research.
        progress: of asking the baseline, (done, all).
        given: prices that are at hand already; none are loaded then, and what comes after the folds is cut off.

    Raises:
        ConfigError: competition, rules, periods or assets are wrong.
        DataError: prices are missing.
    """
    try:
        rules = get_rules(config.rules)
        competition = get_competition(config.competition, rules)
    except ValueError as error:
        raise ConfigError(str(error)) from error
    if config.every % competition.time_increment:
        raise ConfigError(f"every must be whole steps of {competition.time_increment} s, got {config.every:g} s")
    folds = config.folds
    world = _world(config, competition) if config.prices.source == "world" and given is None else None
    if given is not None:
        market = given.market.until(folds.confirm.end)
    else:
        market = _stored(config, competition) if world is None else world.market
    assets = tuple(dict.fromkeys(asset for asset, _ in market))
    known = known_of(market, assets, competition.time_increment) if world is None else world.known
    first = max(folds.learn.start, int(known.times[0]) + HISTORY)
    if first >= folds.learn.end:
        raise DataError(
            f"prices begin on {format_time(int(known.times[0]))} and {HISTORY // DAY} days are looked back on, so no "
            f"prompt falls into folds.learn ({folds.learn}); begin it later or load more history"
        )
    first += -first % competition.time_increment
    starts = range(first, folds.confirm.end - competition.time_length + 1, int(config.every))
    chosen = baseline(config.baseline)
    assert isinstance(chosen, Fhs)
    cases, notes = build_cases(chosen, market, known, assets, competition, starts, progress)
    weights = {asset: rules.coefficient(asset) for asset in assets}
    judge = Judge(cases, known, horizons(competition), weights, folds.learn, seed=config.seed)
    contest = Contest(chosen, market, cases, competition, rules, seed=config.seed)
    if competition.volatility_blocks:
        notes += ("the blocks of volatility are left out of an input's score, since no closed form gives them",)
    if given is not None:
        simulated = given.simulated
    else:
        simulated = world is None and _is_simulated(config, assets, competition.time_increment)
    return Setting(
        market=market,
        known=known,
        cases=cases,
        judge=judge,
        contest=contest,
        notes=notes,
        world=world,
        simulated=world is not None or simulated,
    )


def _world(config: ResearchConfig, competition: Competition) -> World:
    if competition.time_increment != STEP:
        raise ConfigError(f"worlds have bars of {STEP} s; {competition.name} has {competition.time_increment} s")
    own = config.prices.world
    world = draw_world(own.seed, config.prices.assets or WORLD_ASSETS, own.start, own.days)
    if config.folds.confirm.end > int(world.known.times[-1]):
        raise ConfigError(f"the world ends before folds.confirm ({config.folds.confirm}) does; give it more days")
    return world


def _is_simulated(config: ResearchConfig, assets: Iterable[str], resolution: int) -> bool:
    store, venue = open_store(config.prices.path or ""), config.prices.venue
    return any(store.find(asset, resolution, venue).venue == SIMULATED for asset in assets)


def _stored(config: ResearchConfig, competition: Competition) -> Market:
    store = open_store(config.prices.path or "")
    have = {series.asset for series in store.list_series() if series.resolution == competition.time_increment}
    assets = config.prices.assets or tuple(asset for asset in competition.assets if asset in have)
    if not assets:
        raise DataError(f"{config.prices.path} holds no bars of {competition.time_increment} s of {competition.name}")
    return store.load_market(
        list(assets), competition.time_increment, end=config.folds.confirm.end, venue=config.prices.venue
    )

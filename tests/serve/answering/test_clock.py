from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from synthcity.errors import DataError
from synthcity.forecast.baselines import baseline
from synthcity.forecast.forecaster import Paths
from synthcity.market.bars import Bars, History, Market
from synthcity.market.columns import take
from synthcity.market.simulated import SimulatedConfig, SimulatedMarket, SimulatedOracle
from synthcity.serve.answering import clock
from synthcity.sn50.prompt import Prompt
from tests.market.factories import START, make_bars

CONFIG = SimulatedConfig(seed=5, days=120)
T0 = START + 40 * 3600 + 7 * 60  # seven minutes past the hour
SIGMA = 0.002


class Walk:
    """Normal steps of one known size; keeps what it was asked."""

    name = "walk"

    def simulate(self, history: History, prompt: Prompt, *, seed: int | None = None) -> Paths:
        self.asked, self.known = prompt, history
        steps = np.random.default_rng(seed).normal(scale=SIGMA, size=(prompt.num_simulations, prompt.num_steps))
        self.paths = 7.0 * np.exp(np.cumsum(np.pad(steps, ((0, 0), (1, 0))), axis=1))
        return self.paths

    def simulate_many(self, history: History, prompts: Sequence[Prompt], *, seed: int | None = None) -> list[Paths]:
        raise NotImplementedError


@pytest.fixture(scope="module")
def market() -> Market:
    return Market({("BTC", 60): make_bars(3 * 1440, resolution=60), ("BTC", 300): make_bars(3 * 288)})


@pytest.fixture(scope="module")
def simulated() -> tuple[SimulatedMarket, Market]:
    source = SimulatedMarket(CONFIG)
    return source, Market({("BTC", step): source.bars("BTC", step) for step in (60, 300)})


def ask(increment: int = 300, steps: int = 12, num: int = 50, t0: int = T0) -> Prompt:
    return Prompt(
        asset="BTC", start_time=t0, time_increment=increment, time_length=steps * increment, num_simulations=num
    )


def test_a_grid_time_is_settled_by_the_candle_that_opens_then(market):
    bars, prompt = market["BTC", 60], ask()
    values = clock.realised(market, prompt)
    opens = bars.time.tolist()
    assert values.tolist() == [bars.close[opens.index(t)] for t in prompt.grid]
    gappy = Market({("BTC", 60): take(bars, bars.time != prompt.grid[3])})
    assert np.flatnonzero(np.isnan(clock.realised(gappy, prompt))).tolist() == [3]


@pytest.mark.parametrize(("increment", "asked_before"), [(300, 90), (300, 120), (300, 61), (60, 50), (60, 1)])
def test_paths_start_at_the_last_price_and_keep_the_forecasters_changes(market, increment, asked_before):
    forecaster, now = Walk(), T0 - asked_before
    answer = clock.simulate(forecaster, market.as_of(now), ask(increment), seed=3)
    minutes = market["BTC", 60]
    assert answer.observed == now // 60 * 60
    assert answer.price == minutes.close[minutes.observed == answer.observed][0]
    assert answer.price_age == now % 60
    assert answer.wait_seconds == T0 + 60 - answer.observed
    assert forecaster.asked.start_time == answer.observed // increment * increment == forecaster.known.now
    own = forecaster.paths[:, 1:] / forecaster.paths[:, :-1]
    np.testing.assert_allclose(answer.paths[:, 1:] / answer.paths[:, :-1], own, rtol=1e-12)


@pytest.mark.parametrize("name", ["fhs", "ewma"])
def test_a_jump_since_the_last_five_minute_bar_moves_the_start_and_nothing_else(simulated, name):
    """The price is that of the newest minute; how it moves is learned from the bars that the forecaster knows."""
    _, market = simulated
    t0 = CONFIG.epoch + 60 * 86400 + 7 * 60
    now = t0 - 61  # minutes up to t0 - 120 are known, bars of five minutes up to t0 - 420
    bars = market["BTC", 60]
    jumped = np.where(bars.observed > t0 - 420, 1.03, 1.0)
    prices = (getattr(bars, column) * jumped for column in ("open", "high", "low", "close"))
    moved = Market({("BTC", 60): Bars(bars.time, *prices, bars.volume, 60), ("BTC", 300): market["BTC", 300]})
    prompt = Prompt(asset="BTC", start_time=t0, num_simulations=200)
    plain = clock.simulate(baseline(name), market.as_of(now), prompt, seed=1)
    answer = clock.simulate(baseline(name), moved.as_of(now), prompt, seed=1)
    assert (answer.observed, answer.wait_seconds) == (t0 - 120, 180)
    assert answer.price == bars.close[bars.observed == t0 - 120][0] * 1.03
    np.testing.assert_allclose(answer.paths, plain.paths * 1.03, rtol=1e-12)


@pytest.mark.parametrize(("increment", "asked_before"), [(300, 90), (300, 700), (60, 50), (60, 20)])
def test_the_wait_carries_its_share_of_variance(market, increment, asked_before):
    answer = clock.simulate(Walk(), market.as_of(T0 - asked_before), ask(increment, num=40_000), seed=1)
    moves = np.log(answer.paths / answer.price)
    steps = answer.wait_seconds / increment + np.arange(13)
    np.testing.assert_allclose(moves.std(axis=0), SIGMA * np.sqrt(steps), rtol=0.02)
    np.testing.assert_allclose(moves.mean(axis=0), 0.0, atol=4 * SIGMA * np.sqrt(steps[-1] / 40_000))
    assert abs(np.corrcoef(moves[:, 0], moves[:, 1] - moves[:, 0])[0, 1]) < 0.02


def test_a_whole_step_of_waiting_is_one_more_step_of_the_same_law(market):
    answer = clock.simulate(Walk(), market.as_of(T0), ask(60, num=999), seed=1)
    assert answer.wait_seconds == 60
    moves = np.log(answer.paths / answer.price)
    np.testing.assert_allclose(np.sort(moves[:, 0]), np.sort(moves[:, 1] - moves[:, 0]), atol=1e-12)


@pytest.mark.slow
def test_answers_are_calibrated_against_the_known_law(simulated):
    """Ranks of what settled the prompt among the oracle's paths are uniform at every distance from t0."""
    source, market = simulated
    oracle, rng, ranks = SimulatedOracle(source), np.random.default_rng(2), []
    for t0 in range(CONFIG.epoch + 86400, CONFIG.end - 86400, 3 * 3600 + 420):
        prompt = ask(t0=t0, num=99)
        answer = clock.simulate(oracle, market.as_of(t0 - int(rng.integers(60, 120))), prompt, seed=t0)
        truth = clock.realised(market, prompt)
        changes = [answer.paths[:, 0] / answer.price, answer.paths[:, 1] / answer.paths[:, 0], answer.paths[:, -1]]
        observed = [truth[0] / answer.price, truth[1] / truth[0], truth[-1]]
        ranks.append([(c < o).sum() for c, o in zip(changes, observed, strict=True)])
    table = np.array(ranks)
    assert len(table) > 800
    for column in table.T:
        counts = np.bincount(column // 10, minlength=10)
        assert ((counts - len(table) / 10) ** 2).sum() / (len(table) / 10) < 27.9, counts  # 99.9 % of chi-squared, 9


def test_a_real_baseline_answers_at_any_minute(simulated):
    _, market = simulated
    t0 = CONFIG.epoch + 60 * 86400 + 13 * 60
    prompt = Prompt(asset="BTC", start_time=t0)
    answer = clock.simulate(baseline("fhs"), market.as_of(t0 - 75), prompt, seed=1)
    assert answer.paths.shape == (1000, 289)
    again = clock.simulate(baseline("fhs"), market.as_of(t0 - 75), prompt, seed=1)
    np.testing.assert_array_equal(answer.paths, again.paths)
    other = clock.simulate(baseline("fhs"), market.as_of(t0 - 75), prompt, seed=2)
    assert (answer.paths != other.paths).any()


def test_nothing_later_than_the_settlement_of_t0_is_looked_at(market):
    forecaster = Walk()
    answer = clock.simulate(forecaster, market.as_of(T0 + 3600), ask(60), seed=1)
    assert (answer.observed, answer.wait_seconds, answer.price_age) == (T0 + 60, 0, 3540)
    assert (answer.paths[:, 0] == answer.price).all()
    assert forecaster.known.now == T0 + 60


def test_a_stale_price_is_bridged_and_a_lost_one_refused(market):
    now = T0 - 90
    bars = market["BTC", 60]

    def ending(seconds_ago: int, resolution: int = 60) -> Market:
        short = dict(market.items())
        whole = market["BTC", resolution]
        short["BTC", resolution] = whole.until(now - seconds_ago)
        return Market(short)

    fresh = clock.simulate(Walk(), market.as_of(now), ask(60, num=4000), seed=1)
    stale = clock.simulate(Walk(), ending(900).as_of(now), ask(60, num=4000), seed=1)
    assert stale.price_age == 900 + now % 60
    assert stale.paths[:, 0].std() / stale.price > 2 * fresh.paths[:, 0].std() / fresh.price
    with pytest.raises(DataError, match=r"last price of BTC is 1h 3m before t0 is settled; at most 1800 s"):
        clock.simulate(Walk(), ending(3600).as_of(now), ask(), seed=1)
    with pytest.raises(DataError, match="300-second bars of BTC end 2h before the last price"):
        clock.simulate(Walk(), ending(7200, 300).as_of(now), ask(), seed=1)
    with pytest.raises(DataError, match="last price of BTC is not there at all"):
        clock.simulate(Walk(), Market({("BTC", 60): bars.slice(0, 0)}).as_of(now), ask(), seed=1)
    with pytest.raises(DataError, match="no 300-second bars of BTC"):
        clock.simulate(Walk(), Market({("BTC", 60): bars}).as_of(now), ask(), seed=1)

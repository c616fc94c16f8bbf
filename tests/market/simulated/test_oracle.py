from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from synthcity.errors import ConfigError
from synthcity.forecast.forecaster import Forecaster
from synthcity.market.bars import History
from synthcity.market.simulated import SimulatedConfig, SimulatedMarket, SimulatedOracle
from synthcity.sn50.prompt import Prompt

CONFIG = SimulatedConfig(seed=1, days=200)
DAY = 86400
NUM_PATHS, NUM_PROMPTS = 200, 60


@pytest.fixture(scope="module")
def simulated() -> SimulatedMarket:
    return SimulatedMarket(CONFIG)


@pytest.fixture(scope="module")
def history(simulated: SimulatedMarket) -> History:
    return simulated.market(["BTC"]).as_of(CONFIG.end)


def prompt(asset: str = "BTC", after: int = 50 * DAY, **changes: int) -> Prompt:
    return Prompt(asset=asset, start_time=CONFIG.epoch + after, **{"num_simulations": 500} | changes)


def crps_sum(changes: np.ndarray, realised: np.ndarray) -> float:
    """Fair CRPS of changes (paths, steps) against realised (steps,), summed over steps, in basis points."""
    n = len(changes)
    weights = (2 * np.arange(1, n + 1) - n - 1)[:, None]
    spread = (weights * np.sort(changes, axis=0)).sum(axis=0) / (n * (n - 1))
    return 1e4 * float((np.abs(changes - realised).mean(axis=0) - spread).sum())


def test_paths_have_the_promised_form(simulated, history):
    oracle = SimulatedOracle(simulated)
    assert isinstance(oracle, Forecaster)
    paths = oracle.simulate(history, prompt(), seed=3)
    assert paths.shape == (500, 289)
    assert paths.dtype == np.float64
    assert (np.isfinite(paths) & (paths > 0)).all()
    assert (paths[:, 0] == simulated.state("BTC", prompt().start_time).price).all()
    np.testing.assert_array_equal(paths, oracle.simulate(history, prompt(), seed=3))
    assert not np.array_equal(paths, oracle.simulate(history, prompt(), seed=4))
    assert not np.array_equal(oracle.simulate(history, prompt()), oracle.simulate(history, prompt()))


@pytest.mark.parametrize("after", [50 * DAY, 50 * DAY + 120])
def test_minutes_and_five_minutes_follow_one_law(simulated, history, after):
    oracle = SimulatedOracle(simulated)
    fine = oracle.simulate(
        history, prompt(after=after, time_increment=60, time_length=3600, num_simulations=20000), seed=0
    )
    coarse = oracle.simulate(history, prompt(after=after, time_length=3600, num_simulations=20000), seed=1)
    assert fine.shape == (20000, 61)
    for minute in (5, 30, 60):
        spreads = [np.abs(np.log(p[:, i] / p[:, 0])).mean() for p, i in ((fine, minute), (coarse, minute // 5))]
        assert spreads[0] == pytest.approx(spreads[1], rel=0.04)


def test_prompts_of_one_time_are_drawn_jointly(simulated, history):
    oracle = SimulatedOracle(simulated)
    paths = oracle.simulate_many(history, [prompt("BTC"), prompt("ETH"), prompt("SP500")], seed=0)
    ends = [np.log(p[:, 60] / p[:, 0]) for p in paths]
    correlation = np.corrcoef(ends)
    assert correlation[0, 1] > 0.35
    assert abs(correlation[0, 2]) < correlation[0, 1]


def test_realised_paths_are_drawn_from_the_same_law(simulated, history):
    """Ranks of realised 3-hour changes among drawn ones are uniform (chi-squared, 9 degrees of freedom)."""
    oracle, ranks = SimulatedOracle(simulated), []
    for after in range(DAY, 199 * DAY, 10800):
        asked = prompt(after=after, time_length=10800, num_simulations=99)
        drawn = oracle.simulate(history, asked, seed=after)[:, -1]
        realised = simulated.state("BTC", asked.start_time + 10800).price
        ranks.append(int((drawn < realised).sum()) // 10)
    counts = np.bincount(ranks, minlength=10)
    expected = len(ranks) / 10
    assert ((counts - expected) ** 2 / expected).sum() < 27.9  # 99.9 % point


def test_better_informed_forecasters_score_better(simulated, history):
    """Oracle < two-speed EWMA with the clock < the same without < one volatility, by clear margins."""
    bars = simulated.bars("BTC")
    change = np.diff(np.log(bars.close), prepend=np.log(bars.open[0]))
    slot = (bars.time % (7 * DAY)) // 1800
    early = np.arange(len(bars)) < 100 * 288
    profile = np.array([np.abs(change[early & (slot == k)]).mean() for k in range(336)])[slot]
    profile /= np.sqrt(np.mean(profile**2))
    levels = {
        name: sum(pd.Series(values**2).ewm(halflife=half_life).mean() for half_life in (36, 5 * 288)) / 2
        for name, values in (("ewma", change), ("clock", change / profile))
    }
    rng, oracle = np.random.default_rng(0), SimulatedOracle(simulated)
    scores: dict[str, list[float]] = {name: [] for name in ("constant", "ewma", "clock", "oracle")}
    for row in np.linspace(100 * 288, len(bars) - 290, NUM_PROMPTS).astype(int):
        future = slice(row + 1, row + 289)
        asked = Prompt(asset="BTC", start_time=int(bars.observed[row]), num_simulations=NUM_PATHS)
        student = rng.standard_t(4.5, (NUM_PATHS, 288)) * np.sqrt(2.5 / 4.5)
        drawn = {
            "constant": rng.standard_normal((NUM_PATHS, 288)) * change[early].std(),
            "ewma": student * np.sqrt(levels["ewma"][row]),
            "clock": student * np.sqrt(levels["clock"][row]) * profile[future],
            "oracle": np.diff(np.log(oracle.simulate(history, asked, seed=row)), axis=1),
        }
        for name, paths in drawn.items():
            scores[name].append(crps_sum(paths, change[future]))
    mean = {name: float(np.mean(values)) for name, values in scores.items()}
    assert mean["oracle"] < 0.975 * mean["constant"]
    assert mean["oracle"] < 0.992 * mean["clock"]
    assert mean["clock"] < 0.99 * mean["ewma"]
    assert mean["ewma"] < 0.995 * mean["constant"]


def test_nonsense_is_refused(simulated, history):
    oracle = SimulatedOracle(simulated)
    with pytest.raises(ConfigError, match="unknown asset 'SPYX'"):
        oracle.simulate(history, prompt("SPYX"))
    with pytest.raises(ConfigError, match="outside the simulated days"):
        oracle.simulate(history, prompt(after=201 * DAY))
    with pytest.raises(ValueError, match="whole minutes"):
        oracle.simulate(history, prompt(after=DAY + 1))

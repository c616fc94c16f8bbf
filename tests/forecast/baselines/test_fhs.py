from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from synthcity.forecast.baselines import baseline
from synthcity.forecast.baselines.fhs import Fhs, FhsConfig, FhsPlain
from synthcity.forecast.evaluation.backtest import backtest, backtest_prompts
from synthcity.forecast.evaluation.compare import lead
from synthcity.forecast.forecaster import Shifted
from synthcity.forecast.quantise import Quantised
from synthcity.market.bars import Bars, Market
from synthcity.market.simulated import SimulatedConfig, SimulatedMarket
from synthcity.sn50.prompt import Prompt

START = 1_748_736_000
T0 = START + 62 * 86400
PROMPT = Prompt(asset="BTC", start_time=T0, num_simulations=1000)


def _steps(bars: Bars, scale: np.ndarray, law: str = "normal") -> np.ndarray:
    """Steps (1000, 288) that FHS draws after a walk of 0.001 * ``scale`` a bar."""
    rng = np.random.default_rng(5)
    draws = rng.standard_normal(len(bars)) if law == "normal" else rng.standard_t(4, len(bars))
    close = 100 * np.exp(np.cumsum(0.001 * scale * draws))
    market = Market({("BTC", 300): Bars(bars.time, close, close, close, close, bars.volume, 300)})
    return np.diff(np.log(Fhs().simulate(market.as_of(T0), PROMPT, seed=1)))


def test_decodes_the_time_of_day(bars_factory) -> None:  # type: ignore[no-untyped-def]
    bars = bars_factory(days=62)
    afternoon = bars.time % 86400 >= 43200
    sigma = _steps(bars, np.where(afternoon, 2.0, 1.0)).std(axis=0)
    ratio = sigma[150:280].mean() / sigma[10:140].mean()
    assert 1.7 < ratio < 2.0  # planted 2, shrunk a tenth towards 1


def test_a_calm_spell_counts_half_and_fades(bars_factory) -> None:  # type: ignore[no-untyped-def]
    bars = bars_factory(days=62)
    recent = bars.time >= T0 - 86400
    sigma = _steps(bars, np.where(recent, 0.3, 1.0)).std(axis=0)
    assert 0.5 < sigma[:12].mean() / 0.001 < 0.8
    assert sigma[-12:].mean() > 1.15 * sigma[:12].mean()


def test_keeps_the_shape_of_the_residuals(bars_factory) -> None:  # type: ignore[no-untyped-def]
    bars = bars_factory(days=62)
    flat = np.ones(len(bars))

    def tail(steps: np.ndarray) -> float:
        return float(np.mean(np.abs(steps) > 4 * steps.std()))

    assert tail(_steps(bars, flat, "t")) > 0.002
    assert tail(_steps(bars, flat)) < 0.0006
    assert abs(_steps(bars, flat).mean()) < 5e-6  # symmetrised: no drift


def test_quantised_paths_hold_the_quantiles_of_the_law(bars_factory) -> None:  # type: ignore[no-untyped-def]
    bars = bars_factory(days=62)
    history = Market({("BTC", 300): bars}).as_of(T0)
    law = np.diff(np.log(Fhs().simulate(history, replace(PROMPT, num_simulations=40_000), seed=0)))
    (paths,) = Fhs().simulate_quantised(history, [PROMPT], seed=1)
    steps = np.diff(np.log(paths))
    middles = (np.arange(1000) + 0.5) / 1000
    np.testing.assert_allclose(
        np.quantile(steps, middles[50:950], axis=0), np.quantile(law, middles[50:950], axis=0), atol=8e-5
    )
    np.testing.assert_allclose(steps.std(axis=0), law.std(axis=0), rtol=0.03)
    np.testing.assert_allclose(steps.sum(axis=1).std(), law.sum(axis=1).std(), rtol=0.08)
    assert np.abs(steps.mean(axis=0)).max() < 1e-9, "no column drifts"
    np.testing.assert_array_equal(paths, Quantised(Fhs()).simulate(history, PROMPT, seed=1))


BURSTING = SimulatedConfig(seed=2, days=75, bursts=2.0)


@pytest.fixture(scope="module")
def bursting() -> Market:
    return SimulatedMarket(BURSTING).market(["BTC"])


def _sigma(market: Market, start_time: int, shift: int | None = None, name: str = "fhs") -> np.ndarray:
    """Standard deviation (288,) of the steps from ``start_time`` on."""
    asked = {"asset": "BTC", "start_time": start_time, "num_simulations": 2000}
    prompt = Prompt(**asked) if shift is None else Shifted(**asked, shift=shift)
    (paths,) = baseline(name).simulate_quantised(market.as_of(start_time), [prompt], seed=1)
    return np.diff(np.log(paths), axis=1).std(axis=0)


def test_a_prompt_at_three_minutes_past_gets_other_steps_than_one_at_noon(bursting: Market) -> None:
    noon = BURSTING.epoch + 70 * 86400 + 43200
    at, past = _sigma(bursting, noon), _sigma(bursting, noon, shift=180)
    # of the hours from 12:00 and from 12:03 on, the full hour lies in the first step and in the last one
    hours_at, hours_past = at.reshape(24, 12).mean(axis=0), past.reshape(24, 12).mean(axis=0)
    assert (hours_at.argmax(), hours_past.argmax()) == (0, 11)
    assert hours_at[0] > 1.12 * hours_at.mean()
    assert hours_past[11] > 1.1 * hours_past.mean()
    np.testing.assert_allclose(_sigma(bursting, noon, shift=0), at)
    np.testing.assert_allclose(_sigma(bursting, noon, shift=3600)[:-12], at[12:], rtol=0.1)


def test_the_plain_form_knows_no_minutes(bursting: Market) -> None:
    noon = BURSTING.epoch + 70 * 86400 + 43200
    np.testing.assert_array_equal(_sigma(bursting, noon, 180, "fhs-plain"), _sigma(bursting, noon, None, "fhs-plain"))


def test_bursts_lower_the_score_where_there_are_any(bursting: Market) -> None:
    start = BURSTING.epoch + 62 * 86400
    prompts = backtest_prompts("crypto-24h", ["BTC"], start, start + 12 * 86400, 39600, 400)
    scores = backtest([Quantised(Fhs()), Quantised(FhsPlain())], bursting, prompts, "crypto-24h").scores
    assert lead(scores, "fhs+q", "fhs-plain+q", weights={"BTC": 1.0}).mean < -0.3


RECORDED = {  # by the tree from before there were bursts: three points of a path that is drawn, and of one quantised
    "market": [
        81.89591288480503,
        81.57518988241732,
        82.04035132391824,
        81.97159172285261,
        82.27236756793127,
        80.94130371859256,
    ],
    "sessions": [
        112.03862160080736,
        112.44967869857022,
        112.72583587527073,
        112.00175952747503,
        112.43422275653776,
        109.33992588995461,
    ],
}


@pytest.mark.parametrize("kind", RECORDED)
def test_the_plain_form_gives_the_numbers_it_always_gave(kind: str, request: pytest.FixtureRequest) -> None:
    market: Market = request.getfixturevalue(kind)
    ((asset, _),) = list(market)[:1]
    history = market.as_of(T0 + 2 * 86400 + 15 * 3600)  # a Monday
    prompt = Prompt(asset=asset, start_time=history.now, num_simulations=16)
    drawn = FhsPlain().simulate(history, prompt, seed=1)
    (quantised,) = FhsPlain().simulate_quantised(history, [prompt], seed=1)
    found = [*drawn[3, [1, 20, 288]], *quantised[3, [1, 20, 288]]]
    np.testing.assert_allclose(found, RECORDED[kind], rtol=1e-12)
    np.testing.assert_array_equal(Fhs(FhsConfig(bursts=None)).simulate(history, prompt, seed=1), drawn)

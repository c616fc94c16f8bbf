from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from synthcity.forecast.baselines.fhs import Fhs
from synthcity.forecast.baselines.har import Har, HarConfig
from synthcity.forecast.bundles.bundle import load
from synthcity.forecast.evaluation.backtest import backtest, backtest_prompts
from synthcity.forecast.evaluation.compare import lead
from synthcity.market.bars import Bars, Market
from synthcity.market.simulated import SimulatedConfig, SimulatedMarket
from synthcity.sn50.prompt import Prompt

START = 1_748_736_000
T0 = START + 62 * 86400


def _sigma(bars: Bars, scale: np.ndarray, forecaster: Fhs | None = None) -> np.ndarray:
    """Standard deviation (288,) of the steps drawn after a walk of 0.001 * ``scale`` a bar."""
    draws = np.random.default_rng(5).standard_normal(len(bars))
    close = 100 * np.exp(np.cumsum(0.001 * scale * draws))
    market = Market({("BTC", 300): Bars(bars.time, close, close, close, close, bars.volume, 300)})
    prompt = Prompt(asset="BTC", start_time=T0, num_simulations=1000)
    (paths,) = (forecaster or Har()).simulate_quantised(market.as_of(T0), [prompt], seed=1)
    return np.diff(np.log(paths)).std(axis=0)


def test_an_even_walk_goes_on_as_it_was(bars_factory: Callable[..., Bars]) -> None:
    bars = bars_factory(days=62)
    sigma = _sigma(bars, np.ones(len(bars)))
    assert sigma.mean() == pytest.approx(0.001, rel=0.07)
    assert sigma.std() < 0.06 * sigma.mean()


def test_learns_how_fast_a_wild_spell_fades(bars_factory: Callable[..., Bars]) -> None:
    """Three wild hours every 27, the last ones just over: the past tells that calm comes back at once."""
    bars = bars_factory(days=62)
    wild = ((T0 - bars.time) % (86400 + 3 * 3600)) <= 3 * 3600
    own, fhs = (_sigma(bars, np.where(wild, 4.0, 1.0), each)[24:200].mean() for each in (Har(), Fhs()))
    assert own < 0.75 * fhs


def test_one_jump_decides_less_than_in_fhs(bars_factory: Callable[..., Bars]) -> None:
    bars = bars_factory(days=62)
    jump = np.where(bars.time == T0 - 3600, 40.0, 1.0)
    wide, narrow = _sigma(bars, jump, Fhs()), _sigma(bars, jump)
    assert narrow[:48].mean() - 0.001 < 0.5 * (wide[:48].mean() - 0.001)


def test_beats_fhs_where_volatility_moves_by_its_own_law() -> None:
    config = SimulatedConfig(seed=4, days=80)
    market, start = SimulatedMarket(config).market(["BTC"]), config.epoch + 62 * 86400
    prompts = backtest_prompts("crypto-24h", ["BTC"], start, start + 17 * 86400, 39600, 200)
    scores = backtest([Har(), Fhs()], market, prompts, "crypto-24h").scores
    assert lead(scores, "har", "fhs", weights={"BTC": 1.0}).mean < 0.2


def test_keeps_every_setting_in_its_bundle(tmp_path) -> None:  # type: ignore[no-untyped-def]
    config = HarConfig(spans_hours=(1.0, 12.0), leads_hours=(1.0, 24.0), ridge=3.0, residual_days=9.0)
    Har(config).save(tmp_path / "har")
    loaded = load(tmp_path / "har")
    assert isinstance(loaded, Har)
    assert (loaded.name, loaded.config) == ("har", config)


@pytest.mark.parametrize(("key", "value"), [("spans_hours", ()), ("leads_hours", (2.0, 1.0)), ("spans_hours", (0.0,))])
def test_refuses_spans_that_are_none(key: str, value: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match=key):
        HarConfig(**{key: value})  # type: ignore[arg-type]


def test_a_short_past_is_enough_for_a_forecast(bars_factory: Callable[..., Bars]) -> None:
    """A day and a bit: no regression a day ahead can be fitted, and the usual movement stands for it."""
    bars = bars_factory(days=1.1)
    prompt = Prompt(asset="BTC", start_time=int(bars.observed[-1]), num_simulations=50)
    paths = Har().simulate(Market({("BTC", 300): bars}).as_of(prompt.start_time), prompt, seed=1)
    np.testing.assert_allclose(np.diff(np.log(paths)).std(), 0.001, rtol=0.3)

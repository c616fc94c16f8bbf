from __future__ import annotations

from dataclasses import replace

import numpy as np

from synthcity.forecast.baselines.fhs import Fhs
from synthcity.forecast.quantise import Quantised
from synthcity.market.bars import Bars, Market
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

"""Forecasters that a language model wrote, from a text to paths; that the example keeps the contract is elsewhere."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from synthcity.authored.examples import FHS
from synthcity.authored.forecaster import LOADER, AuthoredForecaster, ForecasterSource
from synthcity.authored.locked.forks import Misbehaved
from synthcity.authored.reading import Refused
from synthcity.errors import BundleError
from synthcity.forecast.baselines.har import Har
from synthcity.forecast.bundles.bundle import load, save_bundle
from synthcity.forecast.forecaster import Forecaster
from synthcity.market.bars import Market
from synthcity.market.simulated import SimulatedConfig, SimulatedMarket
from synthcity.sn50.prompt import Prompt


@cache
def market() -> Market:
    return SimulatedMarket(SimulatedConfig(start="2025-01-01", days=12, seed=3)).market(("BTC", "ETH"))


def prompt(paths: int = 400) -> Prompt:
    start = int(market()["BTC", 300].observed[11 * 288])
    return Prompt(asset="ETH", start_time=start, time_length=3600, num_simulations=paths)


def edited(*pairs: tuple[str, str]) -> AuthoredForecaster:
    text = FHS
    for old, new in pairs:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return AuthoredForecaster(ForecasterSource.of(text))


def test_paths_spread_as_the_asset_does() -> None:
    forecaster = edited()
    assert isinstance(forecaster, Forecaster)
    paths = forecaster.simulate(market().as_of(prompt().start_time), prompt(), seed=1)
    realised = np.diff(np.log(market()["ETH", 300].until(prompt().start_time).close[-2000:])).std()
    assert 0.4 < np.diff(np.log(paths), axis=1).std() / realised < 2.5


def test_it_is_told_which_asset_when_and_with_what_noise() -> None:
    told = (
        "drawn * volatility",
        "1e-5 * np.column_stack([0 * noise.normal[:, 1:] + asset, 0 * noise.uniform[:, :1] + ends[-1] - history.now])",
    )
    paths = edited(told).simulate(market().as_of(prompt().start_time), prompt(3), seed=1)
    np.testing.assert_allclose(np.diff(np.log(paths), axis=1)[0], [1e-5] * 11 + [3600 * 1e-5], rtol=1e-6)


def test_it_is_told_what_har_expects_of_each_step_and_nothing_where_that_cannot_tell() -> None:
    told = (
        "drawn * volatility",
        "np.broadcast_to(np.where(np.isfinite(history.expected), history.expected, 0.5), drawn.shape)",
    )
    history = market().as_of(prompt().start_time)
    steps = np.diff(np.log(edited(told).simulate(history, prompt(3), seed=1)), axis=1)
    np.testing.assert_allclose(steps[0], Har().volatility(history, prompt(3)), rtol=1e-6)
    drawn = np.diff(np.log(Har().simulate(history, prompt(20_000), seed=1)), axis=1)
    np.testing.assert_allclose(drawn.std(axis=0), steps[0], rtol=0.05)
    early = replace(prompt(3), start_time=int(market()["BTC", 300].observed[100]))
    few = edited(told).simulate(market().as_of(early.start_time), early, seed=1)
    np.testing.assert_allclose(np.diff(np.log(few), axis=1), 0.5)


WRONG = {
    "another shape": ("return drawn * volatility", "return volatility", r"has the shape \(12,\)"),
    "giant steps": ("drawn * volatility", "drawn * volatility * 1e6", "moves by"),
    "no numbers": ("drawn * volatility", "drawn * np.nan", "not finite"),
    "too little": ("LEAST = 50", "LEAST = 10**6", "ValueError: it needs 1000000 returns"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_it_may_not_answer(name: str) -> None:
    old, new, expected = WRONG[name]
    with pytest.raises(Misbehaved, match=f"forecaster written_fhs: .*{expected}"):
        edited((old, new)).simulate(market().as_of(prompt().start_time), prompt(), seed=1)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("def forecast(", "def other("), "defines forecast"),
        (("asset: int, ends:", "ends:"), "takes 4 arguments: history, asset, ends, noise"),
        (("LOOKBACK_DAYS = 30", "LOOKBACK_DAYS = 0"), "LOOKBACK_DAYS must be"),
        (("LEAST = 50", "LEAST = {}"), "a constant must be"),
    ],
)  # fmt: skip
def test_what_a_file_may_not_be(change: tuple[str, str], expected: str) -> None:
    with pytest.raises(Refused, match=expected):
        edited(change)


def test_a_bundle_is_text_that_is_read_again(tmp_path: Path) -> None:
    edited().save(tmp_path / "bundle")
    assert (tmp_path / "bundle" / "code" / "0.py").read_text() == FHS
    with pytest.raises(BundleError, match=r"code/0.py \(forecaster written_fhs\); read it"):
        load(tmp_path / "bundle")
    loaded = load(tmp_path / "bundle", trust_code=True)
    assert isinstance(loaded, AuthoredForecaster)
    assert loaded.source == edited().source


def test_a_bundle_as_they_were_once_holds_code_too(tmp_path: Path) -> None:
    save_bundle(tmp_path / "bundle", {"loader": LOADER, "source": FHS}, {})
    with pytest.raises(BundleError, match="code that a language model wrote"):
        load(tmp_path / "bundle")
    loaded = load(tmp_path / "bundle", trust_code=True)
    assert isinstance(loaded, AuthoredForecaster)
    save_bundle(tmp_path / "bundle", {"loader": LOADER, "source": FHS + "\nimport os\n"}, {})
    with pytest.raises(BundleError, match="import of os is not allowed"):
        load(tmp_path / "bundle", trust_code=True)

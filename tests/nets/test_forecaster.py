"""A trained network as a forecaster: what it refuses, and that it stays the same wherever it is loaded."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from synthcity.errors import BundleError, DataError
from synthcity.forecast.baselines import Fhs
from synthcity.forecast.bundles.bundle import load
from synthcity.forecast.forecaster import Forecaster, Shifted
from synthcity.forecast.mixing import Mix
from synthcity.forecast.quantise import Quantised
from synthcity.market.bars import History, Market
from synthcity.market.calendar.minutes import Effect
from synthcity.market.columns import bars_of_closes
from synthcity.market.dataset import Dataset, build_dataset
from synthcity.market.windows import WindowSpec
from synthcity.nets.config import NetConfig
from synthcity.nets.forecaster import NetForecaster, from_bundle
from synthcity.nets.network import Network
from synthcity.nets.training import Trainer
from synthcity.research.informed.columns import with_inputs
from synthcity.research.informed.forecaster import Informed
from synthcity.research.informed.kept import Kept
from synthcity.research.labbook import Origin
from synthcity.sn50.prompt import Prompt
from tests.nets.conftest import START, seasonal_bars
from tests.research.conftest import WAVE
from tests.research.informed.test_forecaster import by_hand

NOW = START + 20 * 86400
PROMPT = Prompt(asset="BTC", start_time=NOW, num_simulations=100)
ELSEWHERE = """
import sys
import numpy as np
from synthcity.forecast.bundles.bundle import load
from tests.nets.test_forecaster import PROMPT, past
paths = load(sys.argv[1]).simulate(past(), PROMPT, seed=3)
np.save(sys.argv[2], paths)
"""


def past() -> History:
    """Return what was known of two assets at ``NOW``."""
    market = Market({(asset, 300): seasonal_bars(24, seed, 300) for seed, asset in enumerate(("BTC", "ETH"))})
    return market.as_of(NOW)


def frame() -> pd.DataFrame:
    """Return the bars of BTC as a notebook has them."""
    bars = past().bars("BTC", 300)
    columns = {name: getattr(bars, name) for name in ("open", "high", "low", "close", "volume")}
    return pd.DataFrame(columns, index=pd.to_datetime(bars.time, unit="s", utc=True))


def network_state(dataset: Dataset, head: str = "gbm") -> bytes:
    config = {"d_model": 16, "history": 24, "blocks": [{"name": "lstm"}], "head": {"name": head}}
    trainer = Trainer(config, dataset, seed=0, num_rungs=1, max_steps=4)
    trainer.fit(rungs=1)
    return trainer.state()


def network(dataset: Dataset, head: str) -> NetForecaster:
    return NetForecaster.from_state(network_state(dataset, head))


@pytest.fixture(scope="module")
def winners(dataset: Dataset) -> dict[str, Forecaster]:
    gbm, mixture = network(dataset, "gbm"), network(dataset, "mixture")
    return {"network": Quantised(gbm), "mix": Quantised(Mix([gbm, mixture, Fhs()], [0.5, 0.3, 0.2]))}


@pytest.mark.parametrize("kind", ["network", "mix"])
def test_another_process_draws_the_same_bits(winners: dict[str, Forecaster], kind: str, tmp_path: Path) -> None:
    winner = winners[kind]
    winner.save(tmp_path / "winner")  # type: ignore[attr-defined]
    here = winner.simulate(past(), PROMPT, seed=3)
    np.testing.assert_array_equal(load(tmp_path / "winner").simulate(past(), PROMPT, seed=3), here)
    subprocess.run(
        [sys.executable, "-c", ELSEWHERE, str(tmp_path / "winner"), str(tmp_path / "paths.npy")],
        check=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    np.testing.assert_array_equal(np.load(tmp_path / "paths.npy"), here)
    assert not np.array_equal(winner.simulate(past(), PROMPT, seed=4), here)


def test_refuses_what_it_was_not_trained_for(dataset: Dataset) -> None:
    forecaster = network(dataset, "gbm")
    with pytest.raises(DataError, match="knows BTC, ETH, not SOL"):
        forecaster.simulate(past(), Prompt(asset="SOL", start_time=NOW))
    with pytest.raises(DataError, match="288 steps of 300 s, not 60 steps of 60 s"):
        forecaster.simulate(past(), Prompt(asset="BTC", start_time=NOW, time_increment=60, time_length=3600))
    with pytest.raises(DataError, match="BTC has too little history"):
        forecaster.simulate(past(), Prompt(asset="BTC", start_time=START + 3 * 86400))
    with pytest.raises(ValueError, match="past the prompt's start"):
        forecaster.simulate(past(), Prompt(asset="BTC", start_time=NOW - 300))


def test_takes_a_frame_of_bars(winners: dict[str, Forecaster]) -> None:
    expected = winners["network"].simulate(past(), PROMPT, seed=3)
    np.testing.assert_array_equal(winners["network"].simulate(frame(), PROMPT, seed=3), expected)


@pytest.mark.parametrize("kind", ["network", "mix"])
def test_refuses_closes_since_it_was_trained_with_ranges(winners: dict[str, Forecaster], kind: str) -> None:
    """Zero ranges look like a market at rest: a proven winner scored worse than FHS from them, without a word."""
    bars = past().bars("BTC", 300)
    closes = pd.Series(bars.close, pd.to_datetime(bars.observed, unit="s", utc=True))
    sentence = (
        "reads the high and low of each bar, and the history of BTC holds closes alone; give it a DataFrame of bars"
    )
    with pytest.raises(DataError, match=sentence):
        winners[kind].simulate(closes, PROMPT, seed=3)
    dressed = frame().assign(open=bars.close, high=bars.close, low=bars.close)
    with pytest.raises(DataError, match=sentence):
        winners[kind].simulate(dressed, PROMPT, seed=3)


def test_refuses_bars_of_another_length(winners: dict[str, Forecaster]) -> None:
    with pytest.raises(DataError, match="no 300-second bars of BTC; this history holds BTC 3600s"):
        winners["network"].simulate(frame().iloc[::12], PROMPT, seed=3)


def test_a_few_bars_without_a_range_are_no_reason(winners: dict[str, Forecaster]) -> None:
    thin = frame()
    thin.loc[thin.index[::2], ["open", "high", "low"]] = np.nan
    thin["open"] = thin["open"].fillna(thin["close"])
    thin["high"] = thin["high"].fillna(thin["close"])
    thin["low"] = thin["low"].fillna(thin["close"])
    assert np.isfinite(winners["network"].simulate(thin, PROMPT, seed=3)).all()


def test_refuses_a_bundle_of_another_shape(dataset: Dataset, tmp_path: Path) -> None:
    forecaster = network(dataset, "gbm")
    forecaster.save(tmp_path / "b")
    with pytest.raises(BundleError, match="does not fit this version"):
        from_bundle(tmp_path / "b", {"network": {}, "assets": ["BTC"]}, {})


def test_one_that_learned_from_closes_reads_no_ranges_later(tmp_path: Path) -> None:
    """The network's own prices are closes alone, the bars that it answers from are not: both must mean the same."""
    market = Market(
        {key: bars_of_closes(bars.time, bars.close, 300) for key in past().keys for bars in [past().bars(*key)]}
    )
    day = 86400
    learned = build_dataset(
        market,
        competition="crypto-24h",
        rules="2026-09",
        spec=WindowSpec.of(300, 288, ranges=False),
        assets=("BTC", "ETH"),
        train=(START + 7 * day, START + 15 * day),
        validation=(START + 16 * day, START + 20 * day),
        validation_every=6 * 3600,
        coefficients={"BTC": 1.0, "ETH": 0.7},
    )
    network(learned, "gbm").save(tmp_path / "bundle")
    forecaster = load(tmp_path / "bundle")
    paths = forecaster.simulate(past(), PROMPT, seed=3)
    np.testing.assert_array_equal(forecaster.simulate(market.as_of(NOW), PROMPT, seed=3), paths)


@pytest.mark.parametrize("bursts", [True, False])
def test_only_a_network_that_was_told_of_bursts_hears_how_late_its_steps_are(dataset: Dataset, bursts: bool) -> None:
    spec = WindowSpec.of(300, dataset.spec.horizon, bursts=bursts)
    config = NetConfig.from_dict({"d_model": 16, "history": 24, "blocks": [], "head": {"name": "gbm"}})
    torch.manual_seed(0)
    network = Network(config, spec, len(dataset.assets))
    for parameter in network.parameters():  # a head begins with zeros
        torch.nn.init.normal_(parameter, std=0.1)
    forecaster = NetForecaster(network, spec, dataset.assets, {})
    length = {"time_length": 300 * spec.horizon, "num_simulations": 10}
    at = forecaster.simulate(past(), Prompt(asset="BTC", start_time=NOW, **length), seed=1)
    late = forecaster.simulate(past(), Shifted(asset="BTC", start_time=NOW, shift=180, **length), seed=1)
    assert (at != late).any() == bursts


class _Release:
    """A foresight of one burst, two hours after the prompt's start."""

    def effect(self, asset: str, now: int) -> Effect:
        return lambda minutes: np.where((minutes >= NOW + 7200) & (minutes < NOW + 7500), 4.0, 1.0)

    def ahead(self, asset: str, seconds: int) -> Effect:
        return self.effect(asset, 0)


@pytest.mark.parametrize("calendar", [True, False])
def test_only_a_network_that_was_told_of_the_calendar_expects_a_release(dataset: Dataset, calendar: bool) -> None:
    spec = WindowSpec.of(300, dataset.spec.horizon, calendar=calendar)
    config = NetConfig.from_dict({"d_model": 16, "history": 24, "blocks": [], "head": {"name": "gbm"}})
    torch.manual_seed(0)
    network = Network(config, spec, len(dataset.assets))
    for parameter in network.parameters():  # a head begins with zeros
        torch.nn.init.normal_(parameter, std=0.1)
    forecaster = NetForecaster(network, spec, dataset.assets, {})
    prompt = Prompt(asset="BTC", start_time=NOW, time_length=300 * spec.horizon, num_simulations=10)
    history = past()
    expecting = Market(history._market, _Release()).as_of(NOW)
    before, told = (np.diff(np.log(forecaster.simulate(each, prompt, seed=1))) for each in (history, expecting))
    assert (before != told).any() == calendar
    np.testing.assert_allclose(np.delete(told, 24, axis=1), np.delete(before, 24, axis=1), rtol=1e-6)


def told(inputs: Informed, dataset: Dataset) -> NetForecaster:
    """A network that knows inputs, of random weights."""
    spec = replace(WindowSpec.of(300, dataset.spec.horizon), inputs=True)
    config = NetConfig.from_dict({"d_model": 16, "history": 24, "blocks": [], "head": {"name": "gbm"}})
    torch.manual_seed(0)
    network = Network(config, spec, len(dataset.assets))
    for parameter in network.parameters():  # a head begins with zeros
        torch.nn.init.normal_(parameter, std=0.1)
    return NetForecaster(network, spec, dataset.assets, {}, inputs)


def test_a_network_is_told_what_inputs_say_and_of_no_asset_that_they_did_not_learn(dataset: Dataset) -> None:
    inputs = by_hand(horizon=dataset.spec.horizon)
    louder = by_hand(horizon=dataset.spec.horizon)
    louder.levels = {"BTC": 1.0}
    for asset in dataset.assets:
        prompt = replace(PROMPT, asset=asset)
        here, there = (told(each, dataset).simulate(past(), prompt, seed=3) for each in (inputs, louder))
        assert (here != there).any() == (asset == "BTC")
    hour = replace(PROMPT, time_length=3600)  # a shorter prompt is told of all steps that the network knows
    drawn = told(inputs, dataset).simulate(past(), hour, seed=3)
    np.testing.assert_array_equal(drawn, told(inputs, dataset).simulate(past(), PROMPT, seed=3)[:, :13])


def test_the_inputs_of_a_network_travel_in_its_bundle(dataset: Dataset, tmp_path: Path) -> None:
    forecaster = told(by_hand(horizon=dataset.spec.horizon), dataset)
    Quantised(Mix([forecaster, Fhs()], [0.5, 0.5])).save(tmp_path / "winner")
    here = Quantised(Mix([forecaster, Fhs()], [0.5, 0.5])).simulate(past(), PROMPT, seed=3)
    np.testing.assert_array_equal(load(tmp_path / "winner").simulate(past(), PROMPT, seed=3), here)
    written = told(by_hand(Kept.of("seven-hours-0a1b2c", Origin(source=WAVE)), dataset.spec.horizon), dataset)
    written.save(tmp_path / "written")
    with pytest.raises(BundleError, match=r"members/0/code/0.py \(feature seven-hours-0a1b2c\); read it"):
        load(tmp_path / "written")
    assert load(tmp_path / "written", trust_code=True).inputs.digest == written.inputs.digest  # type: ignore[attr-defined,union-attr]


def test_a_network_without_the_inputs_that_it_was_trained_with_is_refused(dataset: Dataset, tmp_path: Path) -> None:
    inputs = by_hand(horizon=dataset.spec.horizon)
    trainer = Trainer(
        {"d_model": 16, "history": 24, "blocks": [], "head": {"name": "gbm"}},
        with_inputs(dataset, inputs, past()._market),
        seed=0,
        num_rungs=1,
        max_steps=2,
    )
    trainer.fit(rungs=1)
    with pytest.raises(BundleError, match="a network with inputs of a library, which are not there"):
        NetForecaster.from_state(trainer.state())
    assert NetForecaster.from_state(trainer.state(), inputs).inputs is inputs
    assert NetForecaster.from_state(network_state(dataset), inputs).inputs is None
    forecaster = told(inputs, dataset)
    forecaster.save(tmp_path / "bundle")
    config = json.loads((tmp_path / "bundle" / "config.json").read_text())
    weights = {name: value.numpy() for name, value in forecaster.network.state_dict().items()}
    with pytest.raises(BundleError, match="a network with inputs has 0 members"):
        from_bundle(tmp_path / "bundle", config | {"num_members": 0}, weights)
    with pytest.raises(BundleError, match="a network without inputs has 1 members"):
        from_bundle(tmp_path / "bundle", config | {"spec": config["spec"] | {"inputs": False}}, weights)

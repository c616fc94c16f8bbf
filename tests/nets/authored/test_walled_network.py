"""A network behind the wall answers as the same network outside; here without processes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch

from synthcity.authored.locked.forks import Misbehaved
from synthcity.authored.locked.wire import Message
from synthcity.errors import BundleError
from synthcity.forecast.bundles.bundle import load
from synthcity.forecast.quantise import Quantised
from synthcity.market.bars import Market
from synthcity.market.dataset import Dataset
from synthcity.nets.authored.walled_network import WalledNetwork, open_network
from synthcity.nets.config import NetConfig
from synthcity.nets.forecaster import NetForecaster, from_bundle
from synthcity.nets.network import Network, make_batch
from synthcity.nets.training import Trainer
from synthcity.sn50.prompt import Prompt
from tests.nets.authored.door import Here, open_here
from tests.nets.conftest import START, seasonal_bars

CONFIG: dict[str, object] = {"d_model": 16, "history": 24, "patch": 1, "blocks": [{"name": "gated_average"}]}
T0 = START + 20 * 86400
PROMPTS = [Prompt(asset=asset, start_time=T0, num_simulations=number) for asset, number in (("BTC", 40), ("ETH", 60))]


@pytest.fixture
def state(dataset: Dataset, here: Here, written: None) -> Iterator[bytes]:
    trainer = Trainer(CONFIG, dataset, seed=0, num_rungs=1, max_steps=2)
    trainer.fit(1)
    return trainer.state()


@pytest.fixture(scope="module")
def market() -> Market:
    return Market({(asset, 300): seasonal_bars(24, seed, 300) for seed, asset in enumerate(("BTC", "ETH"))})


def answers(forecaster: NetForecaster, market: Market) -> list[np.ndarray]:
    history = market.as_of(T0)
    return [
        forecaster.simulate(history, PROMPTS[0], seed=1),
        *forecaster.simulate_many(history, PROMPTS, seed=2),
        *Quantised(forecaster).simulate_many(history, PROMPTS, seed=3),
    ]


def test_prompts_are_answered_as_outside_each_by_a_child_of_its_own(
    state: bytes, market: Market, here: Here, unwalled
) -> None:
    walled = NetForecaster.from_state(state)
    assert isinstance(walled.network, WalledNetwork)
    before = here.opened
    found = answers(walled, market)
    assert here.opened - before == 3, "one a time that is asked for"
    with unwalled():
        plain = NetForecaster.from_state(state)
        assert isinstance(plain.network, Network)
        for paths, expected in zip(found, answers(plain, market), strict=True):
            np.testing.assert_array_equal(paths, expected)


def test_a_bundle_of_its_answers_the_same(state: bytes, market: Market, tmp_path: Path) -> None:
    walled = NetForecaster.from_state(state)
    walled.save(tmp_path / "bundle")
    loaded = load(tmp_path / "bundle", trust_code=True)
    assert isinstance(loaded, NetForecaster)
    assert isinstance(loaded.network, WalledNetwork)
    assert loaded.network.num_parameters == walled.network.num_parameters > 1000
    for paths, expected in zip(answers(loaded, market), answers(walled, market), strict=True):
        np.testing.assert_array_equal(paths, expected)


def test_draws_without_quantiles_are_no_repetition(state: bytes, market: Market, dataset: Dataset) -> None:
    """A generator that was handed over is not used twice."""
    network = NetForecaster.from_state(state).network
    tables = [dataset.tables[asset] for asset in dataset.assets]
    batch = make_batch(tables, np.array([0, 1]), np.array([5000, 5000]), 24, dataset.spec)
    law, generator = network(batch), torch.Generator().manual_seed(3)
    first, second = (law.sample(20, law.draw_noise(20, generator)) for _ in range(2))
    assert not torch.equal(first, second)
    again = network(batch).sample(20, generator=torch.Generator().manual_seed(3))
    assert torch.equal(first, again)
    assert law.params() == {}
    density = law.log_prob(torch.zeros(2, 288))
    assert density is not None
    assert density.shape == (2,)


def test_a_law_takes_its_child_with_it(state: bytes, dataset: Dataset, here: Here) -> None:
    forecaster = NetForecaster.from_state(state)
    opened, closed = here.opened, here.closed
    assert forecaster.is_sound()
    assert (here.opened - opened, here.closed - closed) == (1, 1)


@pytest.mark.parametrize("wrong", ["missing", "shape", "type", "large"])
def test_weights_that_do_not_fit_are_refused_here(state: bytes, tmp_path: Path, wrong: str) -> None:
    forecaster = NetForecaster.from_state(state)
    weights = {name: value.numpy().copy() for name, value in forecaster.network.state_dict().items()}
    name = "blocks.0.gate.weight"
    if wrong == "missing":
        del weights[name]
    elif wrong == "shape":
        weights[name] = weights[name][:3]
    elif wrong == "type":
        weights[name] = weights[name].astype(np.float64)
    else:
        weights[name] = weights[name] * np.float32(1e9)
    config = {"network": forecaster.network.config.to_dict(), "meta": {}}
    config |= {"spec": asdict(forecaster.spec), "assets": list(forecaster.assets)}
    with pytest.raises(BundleError, match=r"does not fit this version|numbers that no training"):
        from_bundle(tmp_path, config, weights)


def test_a_child_that_fails_is_named(dataset: Dataset, monkeypatch: pytest.MonkeyPatch, written: None) -> None:
    def lie(asked: Message, answer: Message) -> Message:
        raise ValueError("no")

    open_here(monkeypatch, Here(lie))
    with pytest.raises(Misbehaved, match="GatedAverageBlock, in a locked process: ValueError: no"):
        open_network(NetConfig.from_dict(CONFIG), dataset.spec, 2)

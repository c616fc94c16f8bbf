"""On a GPU: the same laws as on a CPU, training in half precision that learns, resumes, and forecasts without one.

``pytest -m gpu``; skipped where there is no GPU.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

from synthcity.market.bars import Market
from synthcity.market.dataset import Dataset
from synthcity.nets import registry
from synthcity.nets.config import NetConfig
from synthcity.nets.forecaster import NetForecaster
from synthcity.nets.network import Batch, Network, make_batch
from synthcity.nets.training import Trainer
from synthcity.sn50.prompt import Prompt
from tests.nets.conftest import START, seasonal_bars

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU"),
]

CONFIGS = {
    **{name: {"d_model": 32, "blocks": [{"name": name}]} for name in registry.blocks()},
    **{f"head {name}": {"d_model": 16, "blocks": [], "head": {"name": name}} for name in registry.heads()},
}
LEVELS = torch.tensor([0.01, 0.25, 0.5, 0.75, 0.99], dtype=torch.float64)
NUM_RUNGS, STEPS = 3, 90


def network(name: str, dataset: Dataset) -> Network:
    """Seeded, and moved away from a head that starts at zero."""
    torch.manual_seed(3)
    built = Network(NetConfig.from_dict(CONFIGS[name]), dataset.spec, len(dataset.assets)).eval()
    with torch.no_grad():
        for parameter in built.parameters():
            parameter += 0.02 * torch.randn_like(parameter)
    return built


def batch_of(built: Network, dataset: Dataset) -> Batch:
    starts = np.concatenate([dataset.validation[asset][:4] for asset in dataset.assets])
    tables = [dataset.tables[asset] for asset in dataset.assets]
    return make_batch(tables, np.repeat([0, 1], 4), starts, built.config.steps, dataset.spec)


def quantiles(built: Network, batch: Batch, device: str, *, half: bool = False) -> torch.Tensor:
    with torch.inference_mode(), torch.autocast(device, torch.bfloat16, enabled=half):
        law = built.to(device)(batch.to(torch.device(device)))
        found = law.quantiles(LEVELS.to(device))
    assert found is not None
    return found.double().cpu()


@pytest.mark.parametrize("name", CONFIGS)
def test_a_law_is_the_same_on_both_devices(name: str, dataset: Dataset) -> None:
    built = network(name, dataset)
    batch = batch_of(built, dataset)
    torch.manual_seed(5)  # a block may draw, as Informer does
    cpu = quantiles(built, batch, "cpu")
    torch.manual_seed(5)
    gpu = quantiles(built, batch, "cuda")
    torch.manual_seed(5)
    half = quantiles(built, batch, "cuda", half=True)
    scale = cpu.abs().mean()
    assert float((gpu - cpu).abs().max() / scale) < 0.02  # float32 of another order of summing, through quantiles
    assert torch.isfinite(half).all()
    assert float((half - cpu).abs().mean() / scale) < 0.05


def trainer(name: str, dataset: Dataset, device: str, state: bytes | None = None) -> Trainer:
    training = {"batch_size": 24, "num_paths": 12, "learning_rate": 4e-3}
    config = {**CONFIGS[name], "training": training}
    return Trainer(config, dataset, seed=1, num_rungs=NUM_RUNGS, max_steps=STEPS, state=state, device=device)


@pytest.mark.parametrize("name", ["lstm", "transformer", "mamba", "head mixture", "head copula"])
def test_it_learns_resumes_and_forecasts_without_the_gpu(name: str, dataset: Dataset) -> None:
    fitted = trainer(name, dataset, "cuda")
    untrained = fitted.validate().score
    first = fitted.advance()
    resumed = trainer(name, dataset, "cuda", state=fitted.state())
    scores = [first["score"]]
    for _ in range(NUM_RUNGS - 1):
        scores.append(fitted.advance()["rung_score"])
        assert resumed.advance()["rung_score"] == pytest.approx(scores[-1], rel=2e-3)
    assert min(scores) < 0.99 * untrained
    on_cpu = trainer(name, dataset, "cpu")
    expected = [on_cpu.advance()["rung_score"] for _ in range(NUM_RUNGS)]
    assert min(scores) == pytest.approx(min(expected), rel=0.02)

    state = fitted.state()
    moved = trainer(name, dataset, "cpu", state=state)
    moved.network.load_state_dict(moved._best)
    assert moved.validate().score == pytest.approx(min(scores), rel=0.02)  # with noise of its own
    market = Market({(asset, 300): seasonal_bars(24, seed, 300) for seed, asset in enumerate(dataset.assets)})
    start = START + 20 * 86400
    prompt = Prompt(asset="BTC", start_time=start, time_increment=300, time_length=86400, num_simulations=200)
    paths = NetForecaster.from_state(state).simulate(market.as_of(start), prompt, seed=1)
    assert paths.shape == (200, 289)
    assert np.isfinite(paths).all()
    assert paths.min() > 0

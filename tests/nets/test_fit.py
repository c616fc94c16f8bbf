"""What one step does to a network, and what is kept of it."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

from synthcity.market.windows import WindowSpec
from synthcity.nets.config import NetConfig
from synthcity.nets.fit import SCHEDULES, EagerAdamW, Fit, Fitting, cycle
from synthcity.nets.network import Batch, ordinary_batch

SPEC = WindowSpec.of(300, 288)
WHAT = Fitting(
    config=NetConfig.from_dict({"d_model": 16, "history": 24, "patch": 1, "blocks": [{"name": "gru"}]}),
    spec=SPEC,
    competition="crypto-24h",
    rules="2026-09",
    weights=(1.0, 0.5),
    correlation=torch.tensor([[1.0, 0.6], [0.6, 1.0]]),
    seed=1,
    max_steps=8,
)

TRAIN = """
import sys, torch
from torch import nn
from synthcity.nets.fit import EagerAdamW
net = nn.Linear(2, 1)
optimizer = EagerAdamW(net.parameters())
net(torch.ones(3, 2)).sum().backward()
optimizer.step()
optimizer.zero_grad(set_to_none=True)
assert "torch._dynamo" not in sys.modules
torch.optim.AdamW(net.parameters())
assert "torch._dynamo" in sys.modules, "torch has mended it: the class is needed no more"
"""


def batch(number: int = 0) -> Batch:
    return ordinary_batch(2, WHAT.config.steps, SPEC, torch.Generator().manual_seed(number))


def fitted(steps: int = 0) -> Fit:
    fit = Fit(WHAT, torch.device("cpu"))
    for number in range(steps):
        fit.step(batch(number))
    return fit


def test_cycle_warms_up_and_ends_at_zero() -> None:
    values = [cycle(p) for p in np.linspace(0, 1, 101)]
    assert max(values) == pytest.approx(1.0, abs=0.01)
    assert values[0] < 0.15
    assert values[-1] == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("name", SCHEDULES)
def test_every_schedule_begins_as_it_says_reaches_the_peak_and_ends_at_zero(name: str) -> None:
    values = [SCHEDULES[name](p) for p in np.linspace(0, 1, 101)]
    assert values[0] == 1.0 if name == "cosine" else values[0] < 0.15
    assert max(values) == pytest.approx(1.0, abs=0.01)
    assert values[-1] == pytest.approx(0.0, abs=1e-6)
    assert values[60] == pytest.approx({"cycle": 0.413, "cosine": 0.345, "trapezoid": 1.0}[name], abs=0.001)


def test_what_is_kept_is_enough_to_go_on() -> None:
    through, first = fitted(4), fitted(2)
    resumed = fitted()
    resumed.restore(first.tensors(), first.steps)
    for number in (2, 3):
        resumed.step(batch(number))
    assert resumed.steps == 4
    for name, value in through.tensors().items():
        assert torch.equal(resumed.tensors()[name], value), name


def test_the_average_is_lent_and_taken_back() -> None:
    fit = fitted(3)
    last = {name: value.clone() for name, value in fit.network.state_dict().items()}
    with fit.averaged() as network:
        assert not network.training
        assert all(torch.equal(value, fit.average[name]) for name, value in network.state_dict().items())
    assert fit.network.training
    assert all(torch.equal(value, last[name]) for name, value in fit.network.state_dict().items())
    assert not torch.equal(last["stem.weight"], fit.average["stem.weight"])
    assert torch.equal(last["correlation"], WHAT.correlation)


def test_looking_at_a_loss_changes_nothing_and_names_what_it_does_not_reach() -> None:
    fit = fitted()
    fit.network.register_parameter("idle", torch.nn.Parameter(torch.ones(2)))
    before = fit.network.stem.weight.clone()
    loss, dead = fit.probe(batch(), 12)
    assert loss > 0
    assert dead == ["idle"]
    assert torch.equal(before, fit.network.stem.weight)


def trained_by(kind: type[torch.optim.AdamW]) -> list[torch.Tensor]:
    torch.manual_seed(0)
    net = nn.LSTM(3, 4)
    optimizer = kind(net.parameters(), lr=1e-2, weight_decay=0.1, betas=(0.9, 0.98))
    for _ in range(5):
        optimizer.zero_grad(set_to_none=True)
        net(torch.randn(6, 2, 3))[0].square().sum().backward()
        optimizer.step()
    moments = [value for state in optimizer.state.values() for value in state.values()]
    return [*(p.detach() for p in net.parameters()), *moments]


def test_it_steps_as_torchs_own_to_the_bit() -> None:
    assert all(
        torch.equal(own, other)
        for own, other in zip(trained_by(EagerAdamW), trained_by(torch.optim.AdamW), strict=True)
    )
    assert torch.is_grad_enabled()


def test_it_does_not_load_the_compiler_which_torchs_own_does() -> None:
    subprocess.run([sys.executable, "-c", TRAIN], check=True)

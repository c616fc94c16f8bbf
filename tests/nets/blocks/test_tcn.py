"""TCN: causal convolutions whose reach doubles from level to level."""

import pytest
import torch

from synthcity.nets.conformance import first_changed, noise
from tests.nets.test_blocks import build


@pytest.mark.parametrize(("levels", "kernel"), [(1, 2), (2, 3), (3, 3)])
def test_tcn_receptive_field(levels: int, kernel: int):
    block = build("tcn", levels=levels, kernel=kernel)
    with torch.no_grad():  # positive weights let no path cancel or die in a ReLU
        for parameter in block.levels.parameters():
            parameter.abs_().add_(0.05)
    field = 1 + 2 * (kernel - 1) * (2**levels - 1)
    x = noise(1, 64).abs().requires_grad_()
    block.mix(x)[0, -1].sum().backward()
    reached = x.grad.abs().sum(-1)[0] > 0
    assert int(reached.sum()) == field
    assert reached[-field:].all()


@pytest.mark.parametrize("at", [0, 31, 63])
def test_no_level_looks_ahead(at: int):
    assert first_changed(build("tcn"), at) == at


def test_a_level_without_weights_keeps_what_is_positive():
    block, x = build("tcn", levels=1), noise(1, 48)
    with torch.no_grad():
        for parameter in block.levels.parameters():
            parameter.zero_()
        for name, parameter in block.levels.named_parameters():
            if name.endswith("original1"):  # a direction cannot be zero, its length can
                parameter.fill_(1.0)
    torch.testing.assert_close(block.mix(x), x.relu())

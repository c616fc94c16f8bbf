"""WaveNet: dilated causal layers, each gated, each heard through its skip output."""

import pytest
import torch

from synthcity.nets.conformance import noise
from tests.nets.test_blocks import build


def steps_heard_at_the_end(block: torch.nn.Module) -> list[int]:
    """Lags that the branch's last position hears, with weights that let no path cancel."""
    with torch.no_grad():
        for parameter in block.parameters():
            parameter.abs_().clamp_(max=0.05)
    x = noise(1, 64).abs().requires_grad_()
    block.mix(x)[0, -1].sum().backward()
    return (63 - (x.grad.abs().sum(-1)[0] > 0).nonzero().flatten()).tolist()[::-1]


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({}, 1 + (1 + 2 + 4 + 8 + 16)),
        ({"layers": 3, "kernel": 3}, 1 + 2 * (1 + 2 + 4)),
        ({"layers": 3, "kernel": 3, "dilation_base": 3}, 1 + 2 * (1 + 3 + 9)),
        ({"layers": 3, "stacks": 2}, 1 + 2 * (1 + 2 + 4)),
    ],
)
def test_receptive_field_is_the_sum_of_dilations(options: dict[str, object], field: int):
    assert steps_heard_at_the_end(build("wavenet", **options)) == list(range(field))


def test_each_layer_is_heard_through_its_own_skip_output():
    block = build("wavenet", layers=4)
    with torch.no_grad():
        for layer in block.layers[1:]:
            layer.skip.weight.zero_()
    assert steps_heard_at_the_end(block) == [0, 1]


def test_closed_gates_let_nothing_through():
    block, x = build("wavenet"), noise(1, 48)
    assert (block.mix(x) - block.mix(-x)).abs().max() > 1e-3
    with torch.no_grad():
        for layer in block.layers:
            layer.filter_and_gate.bias[16:] = -100.0
    torch.testing.assert_close(block.mix(x), block.mix(-x))

"""The property that makes each block what it is; the contract of all of them is ``nets/conformance.py``."""

import pytest
import torch
from torch import nn

from synthcity.nets import conformance, registry
from synthcity.nets.conformance import BLOCK_CHECKS, CONTEXT, first_changed, noise

BLOCKS = sorted(registry.blocks())


def build(name: str, **options: object) -> nn.Module:
    return conformance.build(registry.component("block", name), options, CONTEXT).eval()


@pytest.mark.parametrize("check", BLOCK_CHECKS)
@pytest.mark.parametrize("name", BLOCKS)
def test_every_block_keeps_the_contract(name: str, check: str):
    BLOCK_CHECKS[check](registry.component("block", name), {})


@pytest.mark.parametrize("at", [30, 63])
def test_a_causal_transformer_never_looks_ahead(at: int):
    assert first_changed(build("transformer", causal=True), at) == at


def test_transformer_sees_order_only_through_positions():
    order = torch.randperm(48, generator=torch.Generator().manual_seed(3))
    x = noise(1, 48)
    blind = build("transformer", position="none")
    torch.testing.assert_close(blind(x)[:, order], blind(x[:, order]), rtol=1e-4, atol=1e-5)
    aware = build("transformer", position="rotary")
    assert (aware(x)[:, order] - aware(x[:, order])).abs().max() > 1e-4


def test_rotary_scores_depend_on_distance_alone():
    from synthcity.nets.blocks.attention import rotary_angles, rotate

    q, k = torch.randn(2, 1, 8, generator=torch.Generator().manual_seed(0)).unbind(0)
    cos, sin = rotary_angles(40, 8, q)
    rotated_q, rotated_k = rotate(q.expand(40, 8), cos, sin), rotate(k.expand(40, 8), cos, sin)
    scores = rotated_q @ rotated_k.T
    torch.testing.assert_close(scores[5, 2], scores[35, 32], rtol=1e-4, atol=1e-4)


def test_lstm_carries_the_first_step_to_the_last():
    block, x = build("lstm"), noise(1, 64)
    moved = x.clone()
    moved[:, 0] *= -3
    assert (block(x)[:, -1] - block(moved)[:, -1]).abs().max() > 0
    forget = slice(CONTEXT.d_model, 2 * CONTEXT.d_model)
    assert (block.lstm.bias_ih_l0[forget] + block.lstm.bias_hh_l0[forget] == 1.0).all()


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

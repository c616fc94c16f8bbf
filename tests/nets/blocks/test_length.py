"""Blocks bound to a length keep mixing at others."""

import pytest
import torch

from synthcity.nets import registry
from synthcity.nets.blocks.base import BuiltLengthBlock
from synthcity.nets.blocks.length import at_length
from synthcity.nets.conformance import noise
from tests.nets.test_blocks import build

BOUND = sorted(name for name, entry in registry.blocks().items() if issubclass(entry.cls, BuiltLengthBlock))


@pytest.mark.parametrize("seq", [7, 47, 48, 49, 288])
def test_at_length_keeps_a_constant_and_the_direction_of_time(seq: int):
    constant, ramp = torch.full((2, seq, 3), 1.5), torch.linspace(0, 1, seq)[None, :, None]
    assert at_length(constant, 48).shape == (2, 48, 3)
    assert (at_length(constant, 48) == 1.5).all()
    there = at_length(ramp, 48)
    assert (there.diff(dim=1) > 0).all()
    half_a_step = 0.5 / (min(seq, 48) - 1)
    torch.testing.assert_close(at_length(there, seq), ramp, atol=half_a_step, rtol=0)


def test_at_length_hears_every_step_of_a_longer_sequence():
    x = noise(1, 288).requires_grad_()
    at_length(x, 48).square().sum().backward()
    assert (x.grad.abs().sum(-1) > 0).all()


def test_the_registry_knows_which_blocks_are_bound():
    assert BOUND
    assert all(registry.blocks()[name].needs_seq_len for name in BOUND)


@pytest.mark.parametrize("name", BOUND)
@pytest.mark.parametrize("seq", [7, 30, 48, 200])
def test_the_first_step_reaches_the_last_at_any_length(name: str, seq: int):
    block, x = build(name), noise(1, seq)
    moved = x.clone()
    moved[:, 0] *= -5
    assert (block(x)[:, -1] - block(moved)[:, -1]).abs().max() > 1e-5

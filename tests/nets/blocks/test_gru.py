"""GRU: the update gate keeps or replaces the state, the reset gate hides it."""

import torch

from synthcity.nets.conformance import noise
from tests.nets.test_blocks import build

RESET, UPDATE = slice(0, 16), slice(16, 32)


def test_the_first_step_reaches_the_last():
    block, x = build("gru"), noise(1, 64).requires_grad_()
    block.mix(x)[:, -1].sum().backward()
    assert (x.grad[0, 0] != 0).all()


def test_the_update_gate_starts_by_keeping():
    block = build("gru", num_layers=2)
    for layer in (0, 1):
        gru = block.gru
        bias = getattr(gru, f"bias_ih_l{layer}") + getattr(gru, f"bias_hh_l{layer}")
        assert (bias[UPDATE] == 1.0).all()


def test_a_state_that_is_always_kept_stays_at_its_start():
    block = build("gru")
    with torch.no_grad():
        block.gru.bias_ih_l0[UPDATE] = 100.0
    assert (block.mix(noise(1, 48)) == 0).all()


def test_a_state_that_is_always_replaced_and_reset_forgets():
    block, x = build("gru"), noise(1, 48)
    moved = x.clone()
    moved[:, :-1] *= -1
    with torch.no_grad():
        block.gru.bias_ih_l0[UPDATE] = -100.0
    assert (block.mix(x)[:, -1] - block.mix(moved)[:, -1]).abs().max() > 1e-4
    with torch.no_grad():
        block.gru.bias_ih_l0[RESET] = -100.0
    torch.testing.assert_close(block.mix(x)[:, -1], block.mix(moved)[:, -1])

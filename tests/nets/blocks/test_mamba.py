"""Mamba: a chunked scan that equals the step-by-step recurrence, selection by the input, memory, and a step mode."""

import pytest
import torch
from torch import Tensor

from synthcity.nets.blocks.mamba import scan
from synthcity.nets.conformance import noise
from tests.nets.test_blocks import build


def one_by_one(decay: Tensor, drive: Tensor, start: Tensor) -> Tensor:
    states = []
    for t in range(decay.shape[1]):
        start = decay[:, t] * start + drive[:, t]
        states.append(start)
    return torch.stack(states, dim=1)


def coefficients(seq: int) -> tuple[Tensor, Tensor, Tensor]:
    """Decays from almost one to almost zero, as the step size chooses them."""
    generator = torch.Generator().manual_seed(seq)
    decay = torch.exp(-torch.exp(4 * torch.randn(2, seq, 4, 6, generator=generator) - 2))
    drive, start = torch.randn(2, seq, 4, 6, generator=generator), torch.randn(2, 4, 6, generator=generator)
    return decay.requires_grad_(), drive.requires_grad_(), start.requires_grad_()


@pytest.mark.parametrize("seq", [1, 7, 32, 33, 288])
def test_scan_equals_the_recurrence_with_its_gradients(seq: int):
    inputs = coefficients(seq)
    chunked, sequential = scan(*inputs), one_by_one(*inputs)
    torch.testing.assert_close(chunked, sequential, rtol=1e-5, atol=1e-5)
    ours = torch.autograd.grad(chunked.square().sum(), inputs)
    theirs = torch.autograd.grad(sequential.square().sum(), inputs)
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


def test_decays_to_nothing_and_no_decay_at_all_stay_finite():
    decay = torch.cat([torch.zeros(1, 50, 1, 1), torch.ones(1, 50, 1, 1)], dim=1)
    h = scan(decay, torch.ones_like(decay), torch.zeros(1, 1, 1)).flatten()
    torch.testing.assert_close(h, torch.cat([torch.ones(50), 1 + torch.arange(1.0, 51)]))


@pytest.mark.parametrize("cuts", [[1] * 40, [17, 1, 1, 21]])
def test_steps_from_a_kept_state_equal_the_whole_sequence(cuts: list[int]):
    block, x = build("mamba"), noise(3, 40)
    state, parts = block.initial_state(3), []
    for piece in x.split(cuts, dim=1):
        out, state = block.step(piece, state)
        parts.append(out)
    torch.testing.assert_close(torch.cat(parts, dim=1), block(x), rtol=1e-5, atol=1e-5)


def test_the_input_selects_what_is_kept():
    """With step size, B and C fixed the recurrence would be linear in its input."""
    block = build("mamba")
    u = torch.randn(1, 20, 32, generator=torch.Generator().manual_seed(0))
    start = block.initial_state(1).h_bne
    once, twice = block._recur(u, start)[0], block._recur(2 * u, start)[0]
    assert (twice - 2 * once).abs().max() > 1e-2


def test_memory_reaches_beyond_the_convolution():
    block, x = build("mamba"), noise(1, 64)
    moved = x.clone()
    moved[:, 20] *= -1
    assert (block(x)[:, -1] - block(moved)[:, -1]).abs().max() > 1e-6


def test_step_sizes_start_between_a_thousandth_and_a_tenth_and_rates_at_whole_numbers():
    block = build("mamba", d_state=4)
    dt = torch.nn.functional.softplus(block.dt_proj.bias)
    assert dt.min() >= 0.99e-3
    assert dt.max() <= 0.101
    torch.testing.assert_close(block.log_rate_ne.exp()[:, 0], torch.arange(1.0, 5))

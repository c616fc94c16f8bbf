"""TimesNet: the dominant periods of each window, and convolutions that see the same phase of the cycles before."""

import math

import pytest
import torch
from torch import Tensor
from torch.nn.functional import conv2d

from synthcity.nets.blocks.timesnet import _Inception, dominant_periods, fold, unfold
from synthcity.nets.conformance import CONTEXT, noise
from tests.nets.test_blocks import build

SEQ = 120


def sines(*periods: int) -> Tensor:
    """(1, seq, d_model): sines of falling strength, with other amplitudes in every channel."""
    size = 1 + torch.rand(CONTEXT.d_model, generator=torch.Generator().manual_seed(0))
    waves = [torch.sin(2 * math.pi * torch.arange(SEQ) / period) / (i + 1) for i, period in enumerate(periods)]
    return (sum(waves)[:, None] * size)[None]


def test_the_periods_of_two_sines_are_found():
    periods, weights = dominant_periods(sines(12, 30), top_k=2)
    assert periods.tolist() == [[12, 30]]
    torch.testing.assert_close(weights.sum(-1), torch.ones(1))
    assert weights[0, 0] > weights[0, 1]


def test_the_mean_is_no_period_and_a_period_has_two_steps():
    periods, _ = dominant_periods(sines(30) + 100.0, top_k=1)
    assert periods.tolist() == [[30]]
    periods, _ = dominant_periods(noise(20, 9), top_k=4)
    assert periods.min() >= 2
    assert periods.max() <= 9


def test_the_last_step_sees_its_phase_in_the_cycles_before():
    """The convolutions reach four columns and four rows: another phase is out of sight, a whole period is not."""
    block = build("timesnet", top_k=1)
    x = sines(30).requires_grad_()
    block.mix(x)[0, -1].square().sum().backward()
    pull = x.grad[0].abs().sum(-1).flip(0)
    assert (pull[[1, 4, 30, 31, 60, 90]] > 0).all()
    assert (pull[[10, 15, 20, 40, 45, 75]] == 0).all()


def test_without_the_fold_the_output_differs():
    block, x = build("timesnet", top_k=1), sines(30)
    grid = fold(x, 1)  # period one: every step its own row
    first, second = block.first.merged(), block.second.merged()
    flat = conv2d(torch.nn.functional.gelu(conv2d(grid, *first, padding="same")), *second, padding="same")
    assert (block.mix(x) - unfold(flat, SEQ)).abs().max() > 1e-3


@pytest.mark.parametrize("training", [False, True])
def test_a_window_keeps_its_own_periods_in_any_batch(training: bool):
    block = build("timesnet", dropout=0.0).train(training)
    both = torch.cat([sines(12, 30), sines(20, 8), sines(12, 40)])
    torch.testing.assert_close(block(both)[1:2], block(both[1:2]), rtol=1e-4, atol=1e-5)


def test_periods_are_summed_by_the_weight_of_their_amplitudes():
    block, x = build("timesnet", top_k=2), sines(12, 30)
    _, weights = dominant_periods(x, 2)
    strong = build("timesnet", top_k=1).mix(x)
    first, second = block.first.merged(), block.second.merged()
    grid = conv2d(torch.nn.functional.gelu(conv2d(fold(x, 30), *first, padding="same")), *second, padding="same")
    weak = unfold(grid, SEQ)
    torch.testing.assert_close(block.mix(x), weights[0, 0] * strong + weights[0, 1] * weak, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("period", [2, 7, 13, 50])
def test_folding_keeps_every_step_and_ends_on_a_whole_row(period: int):
    x = noise(2, 50)
    grid = fold(x, period)
    assert grid.shape[-1] == period
    torch.testing.assert_close(grid[:, :, -1], x[:, -period:].transpose(1, 2))
    assert torch.equal(unfold(grid, 50), x)


def test_the_merged_kernel_is_the_mean_of_the_convolutions():
    torch.manual_seed(0)
    inception = _Inception(4, 6, 3)
    assert [weight.shape[-1] for weight in inception.weights] == [1, 3, 5]
    grid = torch.randn(2, 4, 8, 9)
    mean = torch.stack([conv2d(grid, weight, padding="same") for weight in inception.weights]).mean(0)
    torch.testing.assert_close(conv2d(grid, *inception.merged(), padding="same"), mean, rtol=1e-4, atol=1e-5)

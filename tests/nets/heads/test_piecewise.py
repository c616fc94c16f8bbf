"""Piecewise quantile functions: never crossing, inverted exactly, with the CRPS of what they sample."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from synthcity.nets.heads.piecewise import NUM_RAW, TAIL, QuantileFunction, knot_levels


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def function(size: float = 1.0, seed: int = 0, batch: int = 2) -> QuantileFunction:
    return QuantileFunction(size * torch.randn(batch, NUM_RAW, generator=generator(seed)).double())


def draw(one: QuantileFunction, num: int) -> Tensor:
    u = torch.rand(len(one.knot_bk), num, generator=generator(7), dtype=torch.float64)
    return one(torch.minimum(u, 1 - u), u > 0.5)


def test_zero_parameters_give_a_student_of_unit_variance():
    levels = torch.tensor([0.0005, 0.005, 0.07, 0.5, 0.78, 0.995, 0.9995], dtype=torch.float64)
    want = torch.tensor([-6.0884, -3.2556, -1.2993, 0.0, 0.6056, 3.2556, 6.0884], dtype=torch.float64)
    torch.testing.assert_close(function(size=0.0).at(levels)[0], want, rtol=0.002, atol=1e-6)


@given(size=st.floats(0.1, 50.0), seed=st.integers(0, 99))
def test_never_crosses(size: float, seed: int):
    far, near = torch.logspace(-9, -2.4, 50, dtype=torch.float64), torch.linspace(0.004, 0.996, 1000).double()
    values = function(size, seed).at(torch.cat([far, near, 1 - far.flip(0)]))
    assert torch.isfinite(values).all()
    assert (values.diff(dim=1) > 0).all()


def test_passes_through_its_knots_and_is_continuous():
    one = function()
    levels = knot_levels(one.knot_bk)
    torch.testing.assert_close(one.at(levels), one.knot_bk)
    torch.testing.assert_close(one.at(levels - 1e-9), one.at(levels + 1e-9), atol=1e-4, rtol=1e-4)


@given(size=st.floats(0.0, 3.0), seed=st.integers(0, 99))
def test_inverse_and_density(size: float, seed: int):
    one = function(size, seed)
    level = torch.cat([torch.logspace(-6, -2.5, 40).double(), torch.linspace(0.0031, 0.4971, 191).double()])
    for flip in (False, True):
        tail = level.expand(2, -1).clone().requires_grad_()
        value = one(tail, torch.full(tail.shape, flip))
        (slope,) = torch.autograd.grad(value.sum(), tail)
        back, upper, log_density = one.inverse(value.detach())
        assert (upper == flip).all()
        torch.testing.assert_close(back, tail.detach(), rtol=1e-6, atol=1e-12)
        torch.testing.assert_close(log_density, -slope.abs().log(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("size", [0.0, 1.0])
def test_closed_crps_is_that_of_samples(size: float):
    one = function(size)
    values = one.at(torch.tensor([1e-4, 0.003, 0.2, 0.5, 0.93, 0.999, 0.99999], dtype=torch.float64))
    sample = draw(one, 400_000)
    ordered = sample.sort(dim=1).values
    n = sample.shape[1]
    spread = (ordered * (2 * torch.arange(n, dtype=torch.float64) - (n - 1))).sum(1) / (n * (n - 1))
    sampled = (sample[:, None] - values[..., None]).abs().mean(-1) - spread[:, None]
    torch.testing.assert_close(one.crps(values), sampled, rtol=0.01, atol=0.003)


def test_closed_crps_is_the_integral_of_its_definition():
    one = function()
    values = one.at(torch.tensor([0.002, 0.31, 0.9971], dtype=torch.float64))
    # p = 1 - exp(-e^s) style grids are not needed: tails integrate on a logarithmic grid of the probability
    half = torch.logspace(-13, -0.30102999566, 200_001, dtype=torch.float64)
    for row in range(2):
        for y, got in zip(values[row], one.crps(values)[row], strict=True):
            total = 0.0
            for flip in (False, True):
                p = 1 - half if flip else half
                q = one(half.expand(2, -1), torch.full((2, len(half)), flip))[row]
                total += float(torch.trapezoid(2 * ((y < q).double() - p) * (q - y), half))
            assert float(got) == pytest.approx(total, rel=2e-4)


def test_draws_reach_the_tails_in_their_share():
    one = function()
    sample = draw(one, 400_000)
    for knot, beyond in ((one.knot_bk[:, :1], sample < one.knot_bk[:, :1]), (one.knot_bk[:, -1:], None)):
        share = (sample > knot).double().mean(1) if beyond is None else beyond.double().mean(1)
        torch.testing.assert_close(share, torch.full((2,), TAIL, dtype=torch.float64), rtol=0.1, atol=0)

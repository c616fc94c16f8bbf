"""Rational-quadratic splines: increasing, smooth, inverted exactly, the identity at zero and outside."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from synthcity.nets.heads.spline import BOUND, RationalQuadraticSpline


def spline(num_bins: int = 8, size: float = 1.0, seed: int = 0, batch: int = 2) -> RationalQuadraticSpline:
    generator = torch.Generator().manual_seed(seed)
    return RationalQuadraticSpline(size * torch.randn(batch, 3 * num_bins - 1, generator=generator).double())


def grid(batch: int = 2) -> torch.Tensor:
    return torch.linspace(-8, 8, 3201, dtype=torch.float64).expand(batch, -1)


@pytest.mark.parametrize("num_bins", [4, 8, 12])
def test_zero_parameters_give_the_identity(num_bins: int):
    neutral = spline(num_bins, size=0.0)
    torch.testing.assert_close(neutral(grid()), grid(), atol=2e-6, rtol=0)
    # returns crowd in the middle, and so do the knots
    assert ((neutral.x_bk.abs() < BOUND / 3).sum(1) > num_bins / 2).all()


@given(num_bins=st.integers(4, 12), size=st.floats(0.1, 30.0), seed=st.integers(0, 99))
def test_increases_for_any_parameters_and_is_the_identity_outside(num_bins: int, size: float, seed: int):
    y = spline(num_bins, size, seed)(grid())
    assert (y.diff(dim=1) > 0).all()
    outside = grid().abs() >= BOUND
    torch.testing.assert_close(y[outside], grid()[outside])


@given(size=st.floats(0.0, 3.0), seed=st.integers(0, 99))
def test_inverse_and_derivative(size: float, seed: int):
    x = grid().clone().requires_grad_()
    one = spline(size=size, seed=seed)
    y = one(x)
    (slope,) = torch.autograd.grad(y.sum(), x)
    back, log_slope = one.inverse(y.detach())
    torch.testing.assert_close(back, x.detach(), atol=1e-9, rtol=1e-9)
    torch.testing.assert_close(log_slope, -slope.log(), atol=1e-7, rtol=1e-7)


def test_is_smooth_across_bins():
    one = spline(size=1.5)
    for knots in (one.x_bk[:, 1:-1], torch.full((2, 1), BOUND).double(), torch.full((2, 1), -BOUND).double()):
        x = torch.cat([knots - 1e-8, knots + 1e-8], dim=1).requires_grad_()
        (slope,) = torch.autograd.grad(one(x).sum(), x)
        before, after = slope.chunk(2, dim=1)
        torch.testing.assert_close(before, after, rtol=1e-4, atol=0.0)


def test_rows_of_the_batch_have_their_own_spline():
    both = spline(seed=3)
    for row in range(2):
        raw = torch.randn(2, 23, generator=torch.Generator().manual_seed(3)).double()
        alone = RationalQuadraticSpline(raw[row : row + 1])
        torch.testing.assert_close(alone(grid(1)), both(grid())[row : row + 1])
    assert not torch.allclose(both(grid())[0], both(grid())[1])
    # more dimensions behind the batch change nothing
    torch.testing.assert_close(both(grid().view(2, 3, -1)).flatten(1), both(grid()))

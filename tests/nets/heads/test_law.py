"""Innovations that laws share, against what is known of them in closed form."""

import math

import pytest
import torch

from synthcity.nets.conformance import generator
from synthcity.nets.heads.law import (
    MAX_DOF,
    MIN_DOF,
    bounded_dof,
    bounded_log_volatility,
    normal,
    normal_log_density,
    student,
    student_log_density,
    student_noise,
    uniform,
    upper_tail,
)
from tests.nets.test_heads import correlate


@pytest.mark.parametrize("dof", [3.0, 5.0, 30.0])
def test_student_draws_have_unit_variance_and_the_right_tails(dof: float):
    noise = student_noise((400_000,), torch.zeros(1), generator(4))
    x = student(noise["exponential"], noise["cosine"], torch.tensor(dof))
    grid = torch.linspace(-60, 60, 200_001, dtype=torch.float64)
    density = student_log_density(grid, torch.tensor(dof, dtype=torch.float64)).exp()
    cdf = torch.cumulative_trapezoid(density, grid)
    assert float(cdf[-1]) == pytest.approx(1.0, abs=2e-4)
    for level in (0.01, 0.25, 0.9, 0.99):
        at = float(grid[1:][torch.searchsorted(cdf, level)])
        assert float((x <= at).float().mean()) == pytest.approx(level, abs=2.5e-3)
    if dof > 4:
        assert float(x.var()) == pytest.approx(1.0, rel=0.03)


def test_tails_of_scores_are_accurate_far_out():
    score = torch.tensor([-9.0, 0.0, 2.0, 5.3, 5.6, 5.9, 20.0])
    want = torch.special.erfc(score.double() / math.sqrt(2)) / 2
    torch.testing.assert_close(upper_tail(score).double(), want.clamp(min=1e-9), rtol=1e-5, atol=0)


def test_tied_uniforms_stay_uniform():
    factor = torch.linalg.cholesky(torch.tensor([[1.0, 0.9], [0.9, 1.0]]))
    u = uniform((2, 100_000), torch.zeros(1), generator(), factor)
    assert correlate(u[0], u[1]) == pytest.approx(6 / math.pi * math.asin(0.45), abs=0.01)
    levels = torch.linspace(0.01, 0.99, 99)
    torch.testing.assert_close(torch.quantile(u, levels, dim=1), levels[:, None].expand(-1, 2), atol=0.007, rtol=0)


def test_volatility_is_bounded_and_small_values_pass():
    raw = torch.tensor([-1e4, -0.01, 0.0, 0.01, 1e4])
    found = bounded_log_volatility(raw)
    torch.testing.assert_close(found, torch.tensor([-3.0, -0.01, 0.0, 0.01, 3.0]), atol=1e-5, rtol=0)


def test_degrees_of_freedom_stay_where_a_variance_exists():
    found = bounded_dof(torch.tensor([-100.0, 0.0, 100.0]))
    assert found.tolist() == [pytest.approx(MIN_DOF), pytest.approx(4.0, abs=0.1), pytest.approx(MAX_DOF)]
    assert MIN_DOF > 2


def test_normal_density_is_that_of_the_textbook():
    x = torch.tensor([-2.0, 0.0, 1.0])
    torch.testing.assert_close(normal_log_density(x), torch.distributions.Normal(0.0, 1.0).log_prob(x))


def test_student_density_is_the_textbooks_scaled_to_unit_variance():
    x, dof = torch.tensor([-2.0, 0.0, 3.0]), torch.tensor(5.0)
    known = torch.distributions.StudentT(5.0, 0.0, math.sqrt(3 / 5)).log_prob(x)
    torch.testing.assert_close(student_log_density(x, dof), known)


def test_noise_is_that_of_its_generator_and_uniforms_keep_off_both_ends():
    like = torch.zeros(1)
    assert torch.equal(normal((2, 5), like, generator(3)), normal((2, 5), like, generator(3)))
    assert not torch.equal(normal((2, 5), like, generator(3)), normal((2, 5), like, generator(4)))
    found = uniform((200_000,), like, generator(3))
    assert 0 < float(found.min()) < 1e-4
    assert 1 - 1e-4 < float(found.max()) < 1


def test_tied_students_have_the_noise_of_free_ones():
    """Radius and angle keep their laws when windows are tied: exponential of mean 1, cosine of an even angle."""
    factor = torch.linalg.cholesky(torch.tensor([[1.0, 0.8], [0.8, 1.0]]))
    noise = student_noise((2, 100_000), torch.zeros(1), generator(2), factor)
    for values in noise["exponential"]:
        assert float(values.mean()) == pytest.approx(1.0, abs=0.02)
        assert float(values.var()) == pytest.approx(1.0, abs=0.04)
    assert float(noise["cosine"].mean()) == pytest.approx(0.0, abs=0.01)
    assert float(noise["cosine"].square().mean()) == pytest.approx(0.5, abs=0.01)
    assert correlate(torch.sign(noise["cosine"][0]), torch.sign(noise["cosine"][1])) > 0.5

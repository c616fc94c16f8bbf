"""Quantiles of scale mixtures against distribution functions that are known in closed form."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from synthcity.nets.heads.marginal import scale_mixture_quantiles

LEVELS = torch.tensor([1e-6, 0.0005, 0.0105, 0.2, 0.4999, 0.6, 0.9, 0.9995, 1 - 1e-4], dtype=torch.float64)


def normal_cdf(x: Tensor) -> Tensor:
    return torch.special.ndtr(x)


def student4_cdf(x: Tensor) -> Tensor:
    """Of unit variance, in closed form."""
    s = (x / math.sqrt(0.5)).square()
    root = torch.sqrt(1 + s / 4)
    return 0.5 + 3 / 8 * torch.sign(x) * torch.sqrt(s) / root * (1 - s / 12 / root.square())


CDFS = {None: normal_cdf, 4.0: student4_cdf}


def one(value: float | None) -> Tensor | None:
    return None if value is None else torch.full((1, 1), value, dtype=torch.float64)


def assert_quantiles(found: Tensor, probabilities: Tensor) -> None:
    """Held as probabilities of the smaller side, where the relative error of a quantile shows at least twofold."""
    small = torch.minimum(LEVELS, 1 - LEVELS)
    error = torch.where(LEVELS < 0.5, probabilities - LEVELS, (1 - probabilities) - (1 - LEVELS)).abs()
    assert found.shape == (1, 1, len(LEVELS))
    assert float((error / small).max()) < 2e-3


@pytest.mark.parametrize("dof", [None, 4.0])
@pytest.mark.parametrize("log_scale", [0.0, -1.3])
def test_equals_the_known_law(dof: float | None, log_scale: float):
    found = scale_mixture_quantiles(LEVELS, one(log_scale), one(dof))
    assert_quantiles(found, CDFS[dof](found[0, 0].double() * math.exp(-log_scale)))


@pytest.mark.parametrize("dof", [None, 4.0])
@pytest.mark.parametrize("spread", [0.03, 0.2, 1.0])
def test_mixes_a_log_normal_scale(dof: float | None, spread: float):
    found = scale_mixture_quantiles(LEVELS, one(0.2), one(dof), spread_bh=one(spread))
    nodes, weights = np.polynomial.hermite_e.hermegauss(120)
    scaled = found[0, 0].double() * torch.exp(-0.2 - spread * torch.from_numpy(nodes))[:, None]
    assert_quantiles(found, (torch.from_numpy(weights / weights.sum())[:, None] * CDFS[dof](scaled)).sum(0))


def test_mixes_regimes():
    weight, offset = torch.tensor([[0.5, 0.3, 0.2]]), torch.tensor([[-0.7, 0.1, 0.9]])
    found = scale_mixture_quantiles(LEVELS, one(0.0), one(4.0), regimes=(weight, offset))
    scaled = found[0, 0].double() * torch.exp(-offset[0].double())[:, None]
    assert_quantiles(found, (weight[0].double()[:, None] * student4_cdf(scaled)).sum(0))


def test_every_step_has_its_own_law():
    log_scale, dof = torch.tensor([[0.0, 0.5], [-0.5, 0.1]]), torch.tensor([[3.0, 8.0], [4.0, 50.0]])
    spread = torch.tensor([[0.1, 0.4], [0.3, 0.0]])
    together = scale_mixture_quantiles(LEVELS, log_scale, dof, spread_bh=spread)
    for b in range(2):
        for h in range(2):
            at = (slice(b, b + 1), slice(h, h + 1))
            alone = scale_mixture_quantiles(LEVELS, log_scale[at], dof[at], spread_bh=spread[at])
            torch.testing.assert_close(together[at], alone)


def test_is_odd_and_takes_levels_in_any_order():
    levels = torch.tensor([0.9, 0.02, 0.5, 0.1, 0.98])
    found = scale_mixture_quantiles(levels, torch.zeros(1, 3), torch.full((1, 3), 5.0))[0, 0]
    torch.testing.assert_close(found[[0, 4]], -found[[3, 1]])
    assert float(found[2]) == 0.0


def test_knows_how_quantiles_follow_the_parameters():
    """Gradients by the formula equal differences, although only the values are promised."""
    dof = torch.full((1, 1), 5.0, dtype=torch.float64, requires_grad=True)
    level = torch.tensor([0.99])
    scale_mixture_quantiles(level, one(0.0), dof, spread_bh=one(0.3)).sum().backward()
    high, low = (float(scale_mixture_quantiles(level, one(0.0), one(5.0 + e), spread_bh=one(0.3))) for e in (0.1, -0.1))
    assert float(dof.grad) == pytest.approx((high - low) / 0.2, rel=0.01)


@pytest.mark.parametrize("level", [0.0, 1.0, -0.1, math.nan])
def test_refuses_what_is_no_probability(level: float):
    with pytest.raises(ValueError, match=r"levels must lie in \(0, 1\)"):
        scale_mixture_quantiles(torch.tensor([0.5, level]), torch.zeros(1, 1), None)

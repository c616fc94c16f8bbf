"""The copula head: Student steps that stay so whatever ties them."""

import math

import pytest
import torch
from torch import Tensor

from synthcity.nets.heads.copula import CopulaLaw
from synthcity.nets.heads.ranks import SizeRanks

INDEPENDENT = (0.0, 0.0, 1.0)
TIED = [(0.6, 0.0, 0.4), (0.0, 0.9, 0.1), (0.4, 0.5, 0.1)]


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def law(share: tuple[float, float, float], dof: float = 4.0, horizon: int = 48) -> CopulaLaw:
    ranks = SizeRanks(share_b3=torch.tensor([share]), decay=torch.tensor(0.2), horizon=horizon)
    return CopulaLaw(torch.zeros(1, horizon), torch.full((1, horizon), dof), ranks)


def student4_cdf(x: Tensor) -> Tensor:
    """Of unit variance, in closed form."""
    s = (x / math.sqrt(0.5)).square()
    root = torch.sqrt(1 + s / 4)
    return 0.5 + 3 / 8 * torch.sign(x) * torch.sqrt(s) / root * (1 - s / 12 / root.square())


@pytest.mark.parametrize("share", [INDEPENDENT, *TIED])
def test_the_marginal_does_not_depend_on_the_dependence(share: tuple[float, float, float]):
    """Kolmogorov and Smirnov's distance to the Student-t; 1.95 / sqrt(n) is passed once in a thousand times."""
    n = 40_000
    paths = law(share).sample(n, generator=generator())[0].double()
    level = (torch.arange(n) + 0.5) / n
    for step in (0, 47):
        distance = (student4_cdf(paths[:, step].sort().values) - level).abs().max()
        assert float(distance) < 1.95 / math.sqrt(n)


def correlation_of_sizes(share: tuple[float, float, float], lag: int, dof: float = 4.0) -> float:
    sizes = law(share, dof).sample(20_000, generator=generator())[0].abs().log()
    return float(torch.corrcoef(torch.stack([sizes[:, 10], sizes[:, 10 + lag]]))[0, 1])


def test_no_correlation_means_independent_steps():
    assert abs(correlation_of_sizes(INDEPENDENT, 1)) < 0.03
    blocks = law(INDEPENDENT).sample(20_000, generator=generator())[0].square().unflatten(1, (2, 24)).mean(-1).log()
    assert abs(float(torch.corrcoef(blocks.T)[0, 1])) < 0.03


@pytest.mark.parametrize("dof", [4.0, 40.0])
def test_volatility_clusters_by_the_day_and_by_the_hour_even_under_normal_steps(dof: float):
    assert correlation_of_sizes((0.5, 0.0, 0.5), 30, dof) > 0.1
    assert correlation_of_sizes((0.0, 0.8, 0.2), 1, dof) > 0.15
    assert abs(correlation_of_sizes((0.0, 0.8, 0.2), 30, dof)) < 0.03


def test_signs_are_independent():
    signs = torch.sign(law(TIED[2]).sample(20_000, generator=generator())[0])
    assert abs(float((signs[:, 3] * signs[:, 4]).mean())) < 0.03


def test_extreme_scores_stay_finite_and_keep_their_gradients():
    one = law((0.4, 0.3, 0.3), dof=2.6, horizon=3)
    share = torch.tensor([[0.4, 0.3, 0.3]], requires_grad=True)
    one.ranks = SizeRanks(share_b3=share, decay=one.ranks.decay, horizon=3)
    extreme = torch.tensor([[[-40.0, -9.0, -5.6], [5.6, 9.0, 40.0]]])
    noise = {"level": torch.zeros(1, 2), "slow": torch.zeros(1, 2, 3), "own": extreme, "cosine": torch.ones(1, 2, 3)}
    paths = one.sample(2, noise)
    paths.sum().backward()
    assert torch.isfinite(paths).all()
    assert torch.isfinite(share.grad).all()

"""The quantile head: a free shape for a step, ranks for the path."""

import math

import pytest
import torch

from synthcity.nets.heads.piecewise import NUM_RAW, QuantileFunction
from synthcity.nets.heads.quantile import QuantileLaw
from synthcity.nets.heads.ranks import SizeRanks

INDEPENDENT = (0.0, 0.0, 1.0)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def law(
    share: tuple[float, float, float] = (0.3, 0.3, 0.4), horizon: int = 48, size: float = 0.7, volatility: float = 0.0
) -> QuantileLaw:
    raw = size * torch.randn(1, NUM_RAW, generator=generator(2))
    ranks = SizeRanks(share_b3=torch.tensor([share]), decay=torch.tensor(0.2), horizon=horizon)
    return QuantileLaw(torch.full((1, horizon), volatility), QuantileFunction(raw), ranks)


@pytest.mark.parametrize("share", [INDEPENDENT, (0.6, 0.0, 0.4), (0.0, 0.9, 0.1)])
def test_the_marginal_does_not_depend_on_the_dependence(share: tuple[float, float, float]):
    """Kolmogorov and Smirnov's distance to the quantile function; 1.95 / sqrt(n) is passed once in a thousand times."""
    n = 40_000
    one = law(share)
    paths = one.sample(n, generator=generator())[0]
    level = (torch.arange(n) + 0.5) / n
    for step in (0, 47):
        tail, upper, _ = one.function.inverse(paths[None, :, step].sort(dim=1).values)
        distance = (torch.where(upper, 1 - tail, tail)[0] - level).abs().max()
        assert float(distance) < 1.95 / math.sqrt(n)


def correlation_of_sizes(share: tuple[float, float, float], lag: int) -> float:
    sizes = law(share, size=0.0).sample(20_000, generator=generator())[0].abs()
    return float(torch.corrcoef(torch.stack([sizes[:, 10], sizes[:, 10 + lag]]))[0, 1])


def test_volatility_clusters_by_the_day_and_by_the_hour():
    assert abs(correlation_of_sizes(INDEPENDENT, 1)) < 0.03
    assert correlation_of_sizes((0.5, 0.0, 0.5), 30) > 0.25
    assert correlation_of_sizes((0.0, 0.8, 0.2), 1) > 0.3
    assert abs(correlation_of_sizes((0.0, 0.8, 0.2), 30)) < 0.03


def test_far_scores_reach_the_tail_and_no_further():
    one = law(INDEPENDENT, horizon=4, size=0.0)
    own = torch.tensor([[[3.0, 5.0, 5.6, 40.0]]])
    noise = {"level": torch.zeros(1, 1), "slow": torch.zeros(1, 1, 4), "own": own, "upper": torch.ones(1, 1, 4) > 0}
    probability = torch.special.erfc(own.double() / math.sqrt(2)).clamp(min=2e-9) / 4
    torch.testing.assert_close(one.sample(1, noise)[0, 0], one.function.at(1 - probability[0, 0])[0], rtol=1e-3, atol=0)


def test_signs_are_independent():
    paths = law().sample(20_000, generator=generator())[0]
    signs = torch.sign(paths - law().function.at(torch.tensor([0.5])))
    assert abs(float((signs[:, 3] * signs[:, 4]).mean())) < 0.03


def test_joint_density_integrates_to_one():
    one = law(horizon=2, volatility=0.3)
    levels = torch.linspace(0.0005, 0.9995, 1000)
    # integrate over probabilities: there the marginals are flat and what is left is the density of the copula
    value = one.function.at(levels)[0] * math.exp(0.3)
    pairs = torch.cartesian_prod(value, value)
    n = len(pairs)
    ranks = SizeRanks(share_b3=one.ranks.share_b3.expand(n, -1), decay=one.ranks.decay, horizon=2)
    function = QuantileFunction((0.7 * torch.randn(1, NUM_RAW, generator=generator(2))).expand(n, -1))
    wide = QuantileLaw(torch.full((n, 2), 0.3), function, ranks)
    single = QuantileLaw(torch.full((n, 2), 0.3), function, SizeRanks(**{**vars(ranks), "share_b3": _own(n)}))
    ratio = (wide.log_prob(pairs) - single.log_prob(pairs)).exp()
    assert float(ratio.mean()) == pytest.approx(1.0, abs=0.02)
    assert float(ratio.std()) > 0.2


def _own(n: int) -> torch.Tensor:
    return torch.tensor([INDEPENDENT]).expand(n, -1)


def test_independent_steps_have_the_product_density():
    one = law(INDEPENDENT, horizon=3, volatility=0.3)
    returns = one.sample(1, generator=generator(4))[:, 0]
    _, _, log_density = one.function.inverse(returns * math.exp(-0.3))
    torch.testing.assert_close(one.log_prob(returns), log_density.sum(-1) - 3 * 0.3)


def test_step_crps_is_that_of_the_paths():
    one = law(horizon=4, volatility=-0.5)
    realised = one.sample(1, generator=generator(4))[:, 0]
    sample = one.sample(50_000, generator=generator(5))[0]
    first, second = sample.chunk(2)
    sampled = (sample - realised).abs().mean(0) - 0.5 * (first - second).abs().mean(0)
    torch.testing.assert_close(one.step_crps(realised)[0], sampled, rtol=0.02, atol=0.005)

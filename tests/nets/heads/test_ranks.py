"""Ranks of sizes: the correlation that is claimed, standard normal whatever it is."""

import pytest
import torch

from synthcity.nets.heads.ranks import RankDependence, SizeRanks

SHARES = [(0.0, 0.0, 1.0), (0.5, 0.0, 0.5), (0.0, 0.7, 0.3), (0.2, 0.3, 0.5)]


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def ranks(share: tuple[float, float, float], decay: float = 0.1, horizon: int = 12) -> SizeRanks:
    return SizeRanks(share_b3=torch.tensor([share]), decay=torch.tensor(decay), horizon=horizon)


@pytest.mark.parametrize("share", SHARES)
def test_scores_have_the_correlation_they_claim(share: tuple[float, float, float]):
    one = ranks(share)
    own = torch.randn(1, 60_000, 12, generator=generator(1))
    scores = one.scores({**one.draw_noise(60_000, generator()), "own": own})[0]
    found = scores.T @ scores / len(scores)
    torch.testing.assert_close(found, one.correlation()[0].float(), atol=0.025, rtol=0)
    lag = torch.arange(12.0)
    want = share[0] + share[1] * torch.exp(-0.1 * lag) + share[2] * (lag == 0)
    torch.testing.assert_close(one.correlation()[0, 0].float(), want)


@pytest.mark.parametrize("share", SHARES)
def test_log_density_is_that_of_the_copula(share: tuple[float, float, float]):
    one = ranks(share)
    scores = torch.randn(1, 12, generator=generator(3))
    joint = torch.distributions.MultivariateNormal(torch.zeros(12), one.correlation()[0].float()).log_prob(scores)
    alone = torch.distributions.Normal(0.0, 1.0).log_prob(scores).sum(-1)
    torch.testing.assert_close(one.log_density(scores), joint - alone, atol=1e-4, rtol=1e-4)


def test_decoded_shares_are_a_distribution_for_any_weights():
    module = RankDependence(8)
    with torch.no_grad():
        module.shares.weight.add_(50 * torch.randn(3, 8, generator=generator()))
        module.decay.add_(100)
    for summary in (torch.zeros(4, 8), 100 * torch.randn(4, 8, generator=generator(1))):
        found = module(summary, 288)
        torch.testing.assert_close(found.share_b3.sum(-1), torch.ones(4))
        assert (found.share_b3 >= 0.01).all()
        assert torch.isfinite(found.log_density(torch.randn(4, 288, generator=generator(2)))).all()

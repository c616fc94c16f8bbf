"""Geometric Brownian motion: steps that are independent given the level of their path."""

import math

import pytest
import torch
from torch import Tensor

from synthcity.nets.conformance import generator
from synthcity.nets.heads.gbm import GBMLaw, level_spread
from tests.nets.test_heads import flat, make


def test_gbm_volatility_adds_up_over_the_horizon():
    law = GBMLaw(flat(1, 288, math.log(0.7)), None, None)
    total = law.sample(20_000, generator=generator()).sum(-1)
    assert float(total.std()) == pytest.approx(0.7 * math.sqrt(288), rel=0.02)


@pytest.mark.parametrize("spread", [None, torch.tensor([0.4])])
def test_gbm_log_prob_integrates_to_one(spread: Tensor | None):
    law = GBMLaw(flat(1, 1, -0.3), flat(1, 1, 5.0), spread)
    grid = torch.linspace(-80, 80, 160_001)
    density = torch.cat([law.log_prob(x[:, None]).exp() for x in grid.split(16_000)])
    assert float(torch.trapezoid(density, grid)) == pytest.approx(1.0, abs=2e-3)


def test_the_level_of_a_path_clusters_its_volatility():
    def clustering(spread: Tensor | None) -> float:
        paths = GBMLaw(flat(1, 48), None, spread).sample(3000, generator=generator())[0].abs()
        first, second = paths[:, :24].mean(1), paths[:, 24:].mean(1)
        return float(torch.corrcoef(torch.stack([first, second]))[0, 1])

    assert clustering(torch.tensor([0.5])) > 0.7
    assert abs(clustering(None)) < 0.06


def test_a_neutral_level_spreads_by_a_fifth_and_stays_below_one():
    found = level_spread(torch.tensor([-50.0, 0.0, 50.0]))
    assert found.tolist() == [pytest.approx(0.0, abs=1e-6), pytest.approx(0.2, abs=0.01), pytest.approx(1.0)]


def test_the_level_multiplies_a_whole_path():
    law = GBMLaw(flat(1, 48), None, torch.tensor([0.5]))
    noise = law.draw_noise(20, generator())
    ratio = law.sample(20, noise) / GBMLaw(flat(1, 48), None, None).sample(20, noise)
    torch.testing.assert_close(ratio, torch.exp(0.5 * noise["level"])[..., None].expand(-1, -1, 48))


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({}, {"log_volatility", "dof", "level_spread"}),
        ({"innovation": "normal"}, {"log_volatility", "level_spread"}),
        ({"innovation": "normal", "level": False}, {"log_volatility"}),
    ],
)
def test_parameters_are_those_that_the_options_ask_for(options: dict[str, object], named: set[str]):
    law = make("gbm", options)(torch.randn(1, 24, 16, generator=generator()), torch.zeros(1, 48, 5))
    assert law.params().keys() == named


def test_log_prob_of_normal_steps_is_the_sum_of_theirs():
    law = GBMLaw(flat(1, 3, 0.5), None, None)
    x = torch.tensor([[0.1, -2.0, 1.0]])
    known = torch.distributions.Normal(0.0, math.exp(0.5)).log_prob(x).sum(-1)
    torch.testing.assert_close(law.log_prob(x), known)

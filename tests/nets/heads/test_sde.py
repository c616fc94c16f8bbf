"""Stochastic volatility: log volatility is an exact AR(1) on every path."""

import math

import pytest
import torch

from synthcity.nets.conformance import generator
from synthcity.nets.heads.gbm import GBMLaw
from synthcity.nets.heads.sde import SDELaw
from tests.nets.test_heads import flat


def sde(vol_of_vol: float, decay: float = 0.05, leverage: float = 0.0, start: float = 0.0) -> SDELaw:
    return SDELaw(
        log_volatility_bh=flat(1, 288),
        dof_bh=None,
        decay=torch.tensor(decay),
        vol_of_vol_b=torch.tensor([vol_of_vol]),
        start_spread_b=torch.tensor([start]),
        leverage_b=torch.tensor([leverage]),
    )


def test_sde_without_volatility_of_volatility_is_gbm():
    noise = sde(0.0).draw_noise(50, generator())
    torch.testing.assert_close(sde(0.0).sample(50, noise), GBMLaw(flat(1, 288), None, None).sample(50, noise))


def test_sde_deviations_are_the_recursion_they_claim_to_be():
    law = sde(0.5, decay=0.2, start=0.3)
    noise = law.draw_noise(4, generator())
    phi, state = math.exp(-0.2), 0.3 * noise["start"]
    scale = 0.5 * math.sqrt(1 - phi**2)
    for t in range(288):
        state = phi * state + scale * noise["volatility"][..., t]
        torch.testing.assert_close(law._deviation(noise)[..., t], state, rtol=1e-4, atol=1e-5)


def test_sde_clusters_at_short_lags_and_forgets_at_long_ones():
    absolute = sde(0.6).sample(4000, generator=generator())[0].abs()

    def correlation(lag: int) -> float:
        a, b = absolute[:, 40].flatten(), absolute[:, 40 + lag].flatten()
        return float(torch.corrcoef(torch.stack([a, b]))[0, 1])

    assert correlation(1) > 0.15
    assert abs(correlation(200)) < 0.06


def test_sde_leverage_raises_volatility_after_a_fall_and_changes_no_marginal():
    law = sde(0.6, leverage=-0.8)
    paths = law.sample(20_000, generator=generator())[0]
    shock, after = paths[:, 50], paths[:, 51].abs()
    assert float(torch.corrcoef(torch.stack([shock, after]))[0, 1]) < -0.1
    assert torch.equal(law.quantiles(torch.tensor([0.01, 0.9])), sde(0.6).quantiles(torch.tensor([0.01, 0.9])))
    for step in (0, 1, 150, -1):
        expected = math.sqrt(math.exp(2 * 0.6**2 * (1 - math.exp(-2 * 0.05 * (step % 288 + 1)))))
        assert float(paths[:, step].std()) == pytest.approx(expected, rel=0.05)


def test_sde_leverage_drives_student_steps_by_the_normal_behind_them():
    law = SDELaw(flat(1, 96), flat(1, 96, 4.0), torch.tensor(0.1), *(torch.tensor([v]) for v in (0.5, 0.2, -0.7)))
    noise = law.draw_noise(4000, generator())
    shocks = law._shocks(noise)
    assert float(shocks.mean()) == pytest.approx(0.0, abs=0.01)
    assert float(shocks.std()) == pytest.approx(1.0, abs=0.01)
    cosine = noise["cosine"][..., :-1]
    assert float(torch.corrcoef(torch.stack([shocks[..., 1:].flatten(), cosine.flatten()]))[0, 1]) < -0.5

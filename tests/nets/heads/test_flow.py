"""The flow head: GBM seen through a monotone map, exact in both directions."""

import pytest
import torch
from torch import Tensor

from synthcity.nets.heads.flow import FlowLaw
from synthcity.nets.heads.gbm import GBMLaw
from synthcity.nets.heads.spline import RationalQuadraticSpline


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def law(size: float = 1.0, horizon: int = 6, spread: float = 0.3, raw: Tensor | None = None) -> FlowLaw:
    """Two windows with different splines and volatilities."""
    log_volatility = 0.3 * torch.randn(2, horizon, generator=generator(1))
    raw = size * torch.randn(2, 23, generator=generator(2)) if raw is None else raw
    dof = torch.linspace(3, 12, horizon).expand(2, -1)
    return FlowLaw(log_volatility, dof, torch.full((2,), spread), RationalQuadraticSpline(raw))


def test_without_a_spline_it_is_gbm():
    flow = law(size=0.0)
    gbm = GBMLaw(flow.log_volatility_bh, flow.base.dof_bh, flow.base.spread_b)
    noise = flow.draw_noise(500, generator())
    torch.testing.assert_close(flow.sample(500, noise), gbm.sample(500, noise), atol=1e-5, rtol=1e-5)
    returns = flow.sample(1, noise={key: value[:, :1] for key, value in noise.items()})[:, 0]
    torch.testing.assert_close(flow.log_prob(returns), gbm.log_prob(returns), atol=1e-4, rtol=1e-4)


def test_inverting_a_sample_gives_its_noise_back():
    flow = law()
    noise = flow.draw_noise(2000, generator())
    back, _ = flow.invert(flow.sample(2000, noise))
    torch.testing.assert_close(back, flow.base.sample(2000, noise), atol=1e-4, rtol=1e-4)


def test_log_prob_is_the_change_of_variables():
    flow = law()
    noise = flow.base.sample(20, generator=generator(5)).unbind(1)
    for noise_bh in noise:

        def forward(x_bh: Tensor) -> Tensor:
            return flow.spline(x_bh) * flow.log_volatility_bh.exp()

        jacobian = torch.autograd.functional.jacobian(forward, noise_bh)
        for b in range(2):
            want = flow.base.log_prob(noise_bh)[b] - torch.linalg.slogdet(jacobian[b, :, b]).logabsdet
            got = flow.log_prob(forward(noise_bh))[b]
            assert float(got) == pytest.approx(float(want), abs=2e-3)


def test_density_integrates_to_one():
    grid = torch.linspace(-60, 60, 12_001)
    n = len(grid)
    raw = torch.randn(1, 23, generator=generator(2)).expand(n, -1)
    flow = FlowLaw(
        torch.full((n, 1), 0.4), torch.full((n, 1), 4.0), torch.full((n,), 0.3), RationalQuadraticSpline(raw)
    )
    assert float(torch.trapezoid(flow.log_prob(grid[:, None]).exp(), grid)) == pytest.approx(1.0, abs=2e-3)


def test_makes_a_marginal_that_no_student_has():
    raw = torch.zeros(1, 23)
    raw[:, 8:12] -= 1.0  # bins of falls get less height than those of rises: skewed
    flow = FlowLaw(torch.zeros(1, 4), torch.full((1, 4), 8.0), torch.tensor([0.1]), RationalQuadraticSpline(raw))
    low, middle, high = flow.quantiles(torch.tensor([0.02, 0.5, 0.98])).unbind(-1)
    assert ((high - middle) > 1.3 * (middle - low)).all()


def test_the_level_of_a_path_clusters_its_volatility():
    def clustering(spread: float) -> float:
        paths = law(horizon=48, spread=spread).sample(3000, generator=generator())[0].abs()
        first, second = paths[:, :24].mean(1), paths[:, 24:].mean(1)
        return float(torch.corrcoef(torch.stack([first, second]))[0, 1])

    assert clustering(0.6) > 0.6
    assert abs(clustering(1e-3)) < 0.1

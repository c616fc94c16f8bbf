"""N-BEATS: doubly residual sub-blocks on a basis."""

import pytest
import torch
from torch import Tensor

from synthcity.nets.blocks.nbeats import seasonal_basis, trend_basis
from synthcity.nets.conformance import noise
from tests.nets.test_blocks import build


def misfit(series_ns: Tensor, basis_cs: Tensor) -> float:
    """Root mean square of what the best combination of the basis leaves of each series."""
    best = torch.linalg.lstsq(basis_cs.T, series_ns.T).solution
    return float((series_ns.T - basis_cs.T @ best).square().mean().sqrt())


def cubics(count: int) -> Tensor:
    time = torch.linspace(-1, 1, 48)
    return noise(1, count)[0, :, :4] @ torch.stack([time**power for power in range(4)])


def test_sub_forecasts_add_up_and_backcasts_are_taken_away():
    block, x = build("nbeats", sub_blocks=3), noise(2, 48)
    rest, total = x.transpose(1, 2), 0.0
    for sub_block in block.sub_blocks:
        hidden = sub_block.stack(rest)
        total = total + sub_block.forecast(hidden)
        if sub_block.backcast is not None:
            rest = rest - sub_block.backcast(hidden)
    torch.testing.assert_close(block.mix(x), total.transpose(1, 2))
    assert [sub_block.backcast is not None for sub_block in block.sub_blocks] == [True, True, False]


@torch.no_grad()
def test_a_trend_sub_block_can_take_away_a_cubic_and_not_noise():
    first = build("nbeats", basis="trend", degree=3, hidden=64).sub_blocks[0]
    left = {}
    for name, series_ns in (("cubic", cubics(16)), ("noise", noise(1, 48, seed=5)[0].T)):
        hidden = torch.cat([first.stack(series_ns), torch.ones(len(series_ns), 1)], dim=1)
        wanted = torch.linalg.lstsq(first.backcast.basis_cs.T, series_ns.T).solution.T
        fitted = torch.linalg.lstsq(hidden.double(), wanted.double(), driver="gelsd").solution.float()
        left[name] = float((series_ns - hidden @ fitted @ first.backcast.basis_cs).square().mean().sqrt())
    assert left["cubic"] < 1e-3
    assert left["noise"] > 0.5


@pytest.mark.parametrize("degree", [1, 3, 5])
def test_trend_basis_is_all_polynomials_of_its_degree(degree: int):
    basis, time = trend_basis(degree, 48), torch.linspace(0, 1, 48)
    assert len(basis) == degree + 1
    assert misfit(time[None] ** degree, basis) < 1e-5
    assert misfit(time[None] ** (degree + 2), basis) > 1e-5


def test_seasonal_basis_is_whole_periods():
    basis, time = seasonal_basis(4, 48), torch.arange(48.0)
    for periods, inside in ((1, True), (4, True), (5, False), (2.5, False)):
        wave = (2 * torch.pi * periods * time / 48 + 0.7).cos()[None]
        assert (misfit(wave, basis) < 1e-5) == inside, periods
    assert len(seasonal_basis(12, 9)) == 8, "a harmonic at or past Nyquist would be empty or double"


def test_interpretable_is_trend_first_then_seasons():
    block = build("nbeats", basis="interpretable", sub_blocks=3)
    assert torch.equal(block.sub_blocks[0].forecast.basis_cs, trend_basis(3, 48))
    for sub_block in block.sub_blocks[1:]:
        assert torch.equal(sub_block.forecast.basis_cs, seasonal_basis(6, 48))


def test_channels_share_the_weights_and_are_not_mixed():
    block, x = build("nbeats"), noise(2, 48)
    order = torch.randperm(16, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(block.mix(x)[..., order], block.mix(x[..., order]), rtol=1e-4, atol=1e-5)

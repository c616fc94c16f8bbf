"""DLinear: a moving average and a remainder, each mapped over time by its own linear layer."""

import pytest
import torch

from synthcity.nets.blocks.dlinear import moving_average
from synthcity.nets.conformance import noise
from tests.nets.test_blocks import build


@pytest.mark.parametrize("kernel", [5, 13, 25])
def test_moving_average_is_centred_with_the_ends_held(kernel: int):
    x_bds = noise(2, 20).transpose(1, 2)
    around = torch.arange(20)[:, None] + torch.arange(kernel) - kernel // 2
    torch.testing.assert_close(moving_average(x_bds, kernel), x_bds[..., around.clamp(0, 19)].mean(-1))


def test_trend_and_season_have_one_map_over_time_each():
    block, x = build("dlinear", kernel=5), noise(2, 48)
    trend = moving_average(x.transpose(1, 2), 5).transpose(1, 2)
    expected = sum(
        torch.einsum("ts,bsd->btd", layer.weight, part) + layer.bias[:, None]
        for layer, part in ((block.trend, trend), (block.season, x - trend))
    )
    torch.testing.assert_close(block.mix(x), expected, rtol=1e-4, atol=1e-5)


def test_the_season_map_is_deaf_to_a_constant_and_the_trend_map_to_a_full_swing():
    constant = torch.ones(1, 48, 16)
    swing = torch.zeros(1, 48, 16)
    swing[:, 20:40] = torch.tensor([4.0, -1.0, -1.0, -1.0, -1.0]).repeat(4)[None, :, None]
    with torch.no_grad():
        by_season, by_trend = build("dlinear", kernel=5), build("dlinear", kernel=5)
        by_season.trend.weight.zero_()
        by_trend.season.weight.zero_()
        by_trend.trend.weight[:, [*range(22), *range(38, 48)]] = 0.0  # where the swing begins and ends
    for block, x in ((by_season, constant), (by_trend, swing)):
        torch.testing.assert_close(block.mix(x), block.mix(torch.zeros_like(x)))
        assert (block.mix(x.cumsum(1) ** 2) - block.mix(torch.zeros_like(x))).abs().max() > 1e-3


def test_channels_are_not_mixed():
    block, x = build("dlinear"), noise(1, 48)
    moved = x.clone()
    moved[..., 3] *= -1
    changed = (block.mix(x) - block.mix(moved)).abs().amax(dim=(0, 1)) > 1e-6
    assert changed.nonzero().flatten().tolist() == [3]

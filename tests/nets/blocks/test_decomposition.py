"""Splitting a sequence into trend and season."""

import pytest
import torch
from torch import Tensor

from synthcity.nets.blocks.decomposition import DecompositionBlock, smoothing, split_trend
from synthcity.nets.conformance import noise


class Halving(DecompositionBlock):
    """Half of everything is trend; notes the stages that it is asked for."""

    def __init__(self) -> None:
        super().__init__(16, 2, 0.0)
        self.stages: list[int] = []

    def mix(self, x_bsd: Tensor) -> Tensor:
        return torch.zeros_like(x_bsd)

    def split(self, x_bsd: Tensor, stage: int) -> tuple[Tensor, Tensor]:
        self.stages.append(stage)
        return x_bsd / 2, x_bsd / 2


@pytest.mark.parametrize(("seq", "kernel"), [(40, 5), (40, 25), (3, 9), (1, 3)])
def test_season_and_trend_add_up_and_the_trend_is_the_average_with_repeated_edges(seq: int, kernel: int):
    x = noise(2, seq)
    seasonal, trend = split_trend(x, kernel)
    torch.testing.assert_close(seasonal + trend, x)
    padded = torch.nn.functional.pad(x.transpose(1, 2), (kernel // 2, kernel // 2), mode="replicate")
    torch.testing.assert_close(trend, padded.unfold(2, kernel, 1).mean(-1).transpose(1, 2), rtol=1e-4, atol=1e-5)


def test_a_constant_is_all_trend_and_every_step_weighs_one():
    seasonal, trend = split_trend(torch.full((1, 12, 2), 3.0), 7)
    torch.testing.assert_close(trend, torch.full((1, 12, 2), 3.0))
    assert float(seasonal.abs().max()) < 1e-6
    torch.testing.assert_close(smoothing(12, 7, torch.zeros(1)).sum(1), torch.ones(12))


def test_only_the_season_goes_through_the_mlp_and_both_trends_come_out():
    torch.manual_seed(0)
    block, x = Halving(), noise(2, 9)
    first = x / 2
    inner = first + block.mlp(first)
    trend = first + inner / 2
    torch.testing.assert_close(block(x), inner / 2 + trend + block.trend(trend))
    assert block.stages == [0, 1]

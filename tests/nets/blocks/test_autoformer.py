"""Autoformer: delays found by correlation, values summed at those delays, and an exact split off of the trend."""

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from synthcity.errors import ConfigError
from synthcity.nets import registry
from synthcity.nets.blocks.autoformer import best_delays, delay_scores, sum_of_delays
from synthcity.nets.blocks.decomposition import split_trend
from synthcity.nets.conformance import CONTEXT, noise
from tests.nets.test_blocks import build

SEQ = 96


def sine(period: int, width: int) -> Tensor:
    """(1, seq, width): one sine, with other amplitudes and phases in every channel."""
    generator = torch.Generator().manual_seed(period)
    phase, size = 6.28 * torch.rand(width, generator=generator), torch.randn(width, generator=generator)
    return (size * torch.sin(2 * math.pi * torch.arange(SEQ)[:, None] / period + phase))[None]


@pytest.mark.parametrize("period", [12, 16, 24])
def test_the_best_delays_of_a_sine_are_multiples_of_its_period(period: int):
    x = sine(period, 8).transpose(1, 2)[:, None]
    scores = delay_scores(x, x)
    top = scores[0, 0].topk(SEQ // period).indices
    assert (top % period == 0).all()
    delays, weights = best_delays(scores, factor=1)
    assert delays.shape[-1] == math.ceil(math.log(SEQ))
    assert delays[0, 0, 0] % period == 0
    torch.testing.assert_close(weights.sum(-1), torch.ones(1, 1))


def test_scores_are_scaled_dot_products_with_the_past():
    q, k = torch.randn(2, 2, 3, 4, 25, generator=torch.Generator().manual_seed(0)).unbind(0)
    direct = torch.stack([(q * k.roll(delay, -1)).sum((2, 3)) for delay in range(25)], dim=-1) / math.sqrt(4 * 25)
    torch.testing.assert_close(delay_scores(q, k), direct, rtol=1e-5, atol=1e-5)


def test_values_are_rolled_by_the_delays_and_weighted():
    generator = torch.Generator().manual_seed(0)
    v, scores = torch.randn(2, 3, 4, 25, generator=generator), torch.randn(2, 3, 25, generator=generator)
    delays, weights = best_delays(scores, factor=2)
    mixed = sum_of_delays(v, delays, weights)
    for b in range(2):
        for h in range(3):
            rolled = [w * v[b, h].roll(int(d), -1) for d, w in zip(delays[b, h], weights[b, h], strict=True)]
            torch.testing.assert_close(mixed[b, h], torch.stack(rolled).sum(0), rtol=1e-5, atol=1e-5)


def test_the_last_position_reads_whole_periods_before():
    block = build("autoformer", factor=1)
    with torch.no_grad():  # queries, keys and values are the input itself
        block.qkv.weight.copy_(torch.eye(CONTEXT.d_model).repeat(3, 1))
        block.qkv.bias.zero_()
    x = sine(24, CONTEXT.d_model).requires_grad_()
    block.mix(x)[0, -1].square().sum().backward()
    pull = x.grad[0].abs().sum(-1).flip(0)
    assert pull[24] > 5 * pull[12]
    assert pull[48] > 5 * pull[36]


def test_windows_keep_their_own_delays_in_training_too():
    block = build("autoformer", dropout=0.0).train()
    both = torch.cat([sine(12, CONTEXT.d_model), sine(16, CONTEXT.d_model)])
    torch.testing.assert_close(block(both)[1:], block(both[1:]), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kernel", [5, 13, 25])
def test_trend_and_season_add_up_and_the_trend_is_the_moving_average(kernel: int):
    x = noise(2, 40)
    season, trend = split_trend(x, kernel)
    torch.testing.assert_close(season + trend, x, rtol=0, atol=1e-6)
    half = kernel // 2
    torch.testing.assert_close(trend[:, 15], x[:, 15 - half : 16 + half].mean(1))
    edge = torch.cat([x[:, 39 - half :], x[:, -1:].expand(-1, half, -1)], dim=1)
    torch.testing.assert_close(trend[:, -1], edge.mean(1))


def test_the_mlp_sees_the_seasonal_part_alone_and_the_trend_returns():
    block, x = build("autoformer"), noise(2, 48)
    seen: list[Tensor] = []
    block.mlp.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    out = block(x)
    joined = x + block.mix(block.norm(x))
    season, first = split_trend(joined, block.kernel)
    torch.testing.assert_close(seen[0], season)
    season, second = split_trend(season + block.mlp(season), block.kernel)
    torch.testing.assert_close(out, season + first + second + block.trend(first + second))


def test_heads_that_do_not_fit_are_refused():
    entry = registry.component("block", "autoformer")
    with pytest.raises(ConfigError, match=r"n_heads is 8; it must divide d_model 12$"):
        entry.cls(replace(CONTEXT, d_model=12), entry.config(n_heads=8))

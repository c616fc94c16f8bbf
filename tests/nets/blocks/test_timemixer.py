"""TimeMixer: seasons mixed from fine to coarse, trends from coarse to fine, and every scale in the output."""

import pytest
import torch
from torch import Tensor, nn

from synthcity.nets.blocks.decomposition import split_trend
from synthcity.nets.blocks.timemixer import halve
from synthcity.nets.conformance import CONTEXT, noise
from tests.nets.test_blocks import build

LENGTHS = [48, 24, 12]


def parts() -> list[Tensor]:
    return [noise(1, length, seed=length).requires_grad_() for length in LENGTHS]


def reached(out: Tensor, inputs: list[Tensor]) -> list[bool]:
    grads = torch.autograd.grad(out.square().sum(), inputs, allow_unused=True, retain_graph=True)
    return [grad is not None and bool(grad.abs().sum() > 0) for grad in grads]


def test_seasons_mix_from_fine_to_coarse():
    seasons = parts()
    mixed = build("timemixer").mix_seasons(seasons)
    assert [m.shape[1] for m in mixed] == LENGTHS
    assert [reached(m, seasons) for m in mixed] == [[True, False, False], [True, True, False], [True, True, True]]


def test_trends_mix_from_coarse_to_fine():
    trends = parts()
    mixed = build("timemixer").mix_trends(trends)
    assert [m.shape[1] for m in mixed] == LENGTHS
    assert [reached(m, trends) for m in mixed] == [[True, True, True], [False, True, True], [False, False, True]]


def test_each_scale_is_split_into_season_and_trend():
    block, x = build("timemixer"), noise(1, 48)
    seen: list[list[Tensor]] = []
    for name in ("mix_seasons", "mix_trends"):
        setattr(block, name, lambda unmixed: seen.append(unmixed) or unmixed)
    block.mix(x)
    for scale, season, trend in zip([x, halve(x), halve(halve(x))], *seen, strict=True):
        torch.testing.assert_close((season, trend), split_trend(scale, block.kernel))


def test_the_output_is_made_of_mixed_seasons_and_trends():
    block, x = build("timemixer"), noise(1, 48)
    for name in ("mix_seasons", "mix_trends"):
        whole, mixing = block.mix(x), getattr(block, name)
        setattr(block, name, lambda unmixed: unmixed)
        assert (block.mix(x) - whole).abs().max() > 1e-3, name
        setattr(block, name, mixing)


@pytest.mark.parametrize("num_scales", [2, 3, 4])
def test_every_scale_and_every_mixing_step_reaches_the_last_position(num_scales: int):
    block, x = build("timemixer", num_scales=num_scales), noise(1, 48)
    whole = block(x)[:, -1]
    modules: list[nn.Module] = [*block.predictors, *block.coarser, *block.finer]
    assert len(modules) == 3 * num_scales - 2
    for module in modules:
        kept = {key: value.clone() for key, value in module.state_dict().items()}
        module.load_state_dict({key: torch.zeros_like(value) for key, value in kept.items()})
        assert (block(x)[:, -1] - whole).abs().max() > 1e-4
        module.load_state_dict(kept)


def test_pooling_ends_at_the_last_step():
    x = torch.arange(7.0)[None, :, None]
    assert halve(x).flatten().tolist() == [0.0, 1.5, 3.5, 5.5]
    assert halve(x[:, 1:]).flatten().tolist() == [1.5, 3.5, 5.5]


@pytest.mark.parametrize("seq", [24, CONTEXT.seq_len, 96])
def test_the_far_past_reaches_the_last_position_at_any_length(seq: int):
    block, x = build("timemixer"), noise(1, seq)
    moved = x.clone()
    moved[:, 0] *= -1
    assert (block(x)[:, -1] - block(moved)[:, -1]).abs().max() > 1e-4

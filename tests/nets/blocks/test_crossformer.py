"""Crossformer: attention across time within a variate, then across variates through routers."""

import pytest
import torch
from torch import Tensor, nn

from synthcity.nets.conformance import noise
from tests.nets.test_blocks import build

GROUPS = torch.arange(16).view(4, 4)  # four variates of four channels


def heard_at_the_end(block: nn.Module, variate: int, step: int, seq: int = 48) -> list[bool]:
    """For each variate: does its last output of the branch change with ``step`` of ``variate``?"""
    x = noise(1, seq)
    moved = x.clone()
    moved[:, step, GROUPS[variate]] *= -5
    change = (block.mix(x) - block.mix(moved))[0, -1].abs()
    return [bool(change[group].max() > 1e-7) for group in GROUPS]


def test_time_stage_keeps_variates_apart_and_router_stage_joins_them():
    block = build("crossformer", variates=4)
    assert heard_at_the_end(block, variate=1, step=0) == [True] * 4
    block.variate_stage = nn.Identity()
    assert heard_at_the_end(block, variate=1, step=0) == [False, True, False, False]


def test_router_stage_keeps_segments_apart():
    block = build("crossformer", variates=4, segment=6)
    block.time_stage = nn.Identity()
    assert heard_at_the_end(block, variate=1, step=40) == [False] * 4
    assert heard_at_the_end(block, variate=1, step=43) == [True] * 4


def test_variates_speak_only_through_the_routers():
    block = build("crossformer", variates=4)
    with torch.no_grad():
        block.variate_stage.gather.out.weight.zero_()
    assert heard_at_the_end(block, variate=1, step=0) == [False, True, False, False]


@pytest.mark.parametrize("routers", [2, 10])
def test_routers_are_few_learned_rows(routers: int):
    block = build("crossformer", routers=routers)
    block(noise(2, 48)).square().sum().backward()
    stage = block.variate_stage
    assert stage.routers_ck.shape == (routers, 32)
    assert (stage.routers_ck.grad.abs().sum(1) > 0).all()
    gathered: list[Tensor] = []
    stage.gather.register_forward_hook(lambda module, inputs, output: gathered.append(output))
    block(noise(2, 48))
    assert gathered[0].shape == (2 * 8, routers, 32)


def test_segments_know_their_order():
    block, x = build("crossformer", segment=6), noise(1, 48)

    def shuffle(y: Tensor) -> Tensor:
        return y.unflatten(1, (8, 6))[:, [3, 0, 7, 1, 4, 2, 6, 5]].flatten(1, 2)

    assert (shuffle(block(x)) - block(shuffle(x))).abs().max() > 1e-3


@pytest.mark.parametrize("seq", [7, 12, 50])
def test_a_whole_segment_ends_at_the_last_step(seq: int):
    block, x = build("crossformer", variates=4, segment=6), noise(2, seq)
    tokens = block._cut(x)
    assert tokens.shape == (2, 4, -(-seq // 6), 4 * 6)
    torch.testing.assert_close(tokens[:, 2, -1].unflatten(1, (4, 6)), x[:, -6:, GROUPS[2]].transpose(1, 2))

"""The residual frames that blocks share."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from synthcity.nets.blocks.base import BuiltLengthBlock, ResidualBlock
from synthcity.nets.conformance import CONTEXT, noise


class Doubling(ResidualBlock):
    def mix(self, x_bsd: Tensor) -> Tensor:
        return 2 * x_bsd


class Telling(BuiltLengthBlock):
    """Notes the lengths that its branch is asked for."""

    def __init__(self, seq_len: int) -> None:
        super().__init__(replace(CONTEXT, seq_len=seq_len), 0.0)
        self.seen: list[int] = []

    def mix_built(self, x_bsd: Tensor) -> Tensor:
        self.seen.append(x_bsd.shape[1])
        return torch.zeros_like(x_bsd)


def test_the_branch_sees_the_normalised_input_and_is_added():
    block, x = Doubling(CONTEXT, 0.0), 5 + 3 * noise(2, 7)
    torch.testing.assert_close(block(x), x + 2 * torch.nn.functional.layer_norm(x, (16,)))


def test_dropout_hits_the_branch_alone_and_only_in_training():
    torch.manual_seed(0)
    block, x = Doubling(CONTEXT, 0.5), noise(2, 7)
    whole = block.eval()(x) - x
    dropped = block.train()(x) - x
    kept = dropped.abs() > 1e-6
    assert 0.2 < float(kept.float().mean()) < 0.8
    torch.testing.assert_close(dropped[kept], 2 * whole[kept])


@pytest.mark.parametrize("seq", [7, 24, 100])
def test_a_branch_of_one_length_sees_that_length_and_the_residual_its_own(seq: int):
    block, x = Telling(24), noise(2, seq)
    assert torch.equal(block(x), x)
    assert block.seen == [24]


def test_a_branch_must_be_written():
    with pytest.raises(TypeError, match="abstract"):
        ResidualBlock(CONTEXT, 0.0)  # type: ignore[abstract]

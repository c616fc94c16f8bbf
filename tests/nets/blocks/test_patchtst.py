"""PatchTST: patches are tokens, channel groups stay apart."""

import pytest
import torch

from synthcity.nets.blocks.patchtst import merge
from synthcity.nets.conformance import noise
from tests.nets.test_blocks import build


def test_groups_never_mix():
    block, x = build("patchtst", groups=4), noise(1, 50)
    moved = x.clone()
    moved[..., 4:8] = 3 * noise(1, 50, seed=2)[..., 4:8] + 1
    changed = (block(x) - block(moved)).abs().amax(dim=(0, 1)) > 0
    assert changed.nonzero().flatten().tolist() == [4, 5, 6, 7]


def test_groups_share_the_weights():
    block, x = build("patchtst", groups=4), noise(1, 50)
    order = torch.arange(16).roll(4)
    torch.testing.assert_close(block(x)[..., order], block(x[..., order]), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("overlap", [True, False])
@pytest.mark.parametrize("seq", [7, 8, 9, 13, 48, 50])
def test_patches_laid_back_are_the_sequence(seq: int, overlap: bool):
    block, x_bds = build("patchtst", patch=8, overlap=overlap), noise(2, seq).transpose(1, 2)
    patches = block._cut(x_bds)
    hop = 4 if overlap else 8
    assert patches.shape == (2, 1 + max(-(-(seq - 8) // hop), 0), 16 * 8)
    torch.testing.assert_close(merge(patches, 8, overlap)[..., -seq:], x_bds)


def test_where_patches_overlap_they_are_averaged():
    patches = torch.tensor([[[0.0, 0.0, 2.0, 2.0], [4.0, 4.0, 6.0, 6.0]]])
    assert merge(patches, 4, overlap=True).flatten().tolist() == [0, 0, 3, 3, 6, 6]


def test_patches_inform_each_other_and_know_their_order():
    block, x = build("patchtst", overlap=False), noise(1, 48)
    moved = x.clone()
    moved[:, 0] *= -5
    assert (block(x)[:, -1] - block(moved)[:, -1]).abs().max() > 1e-4

    def shuffle(y: torch.Tensor) -> torch.Tensor:
        return y.unflatten(1, (6, 8))[:, [3, 0, 5, 1, 4, 2]].flatten(1, 2)

    assert (shuffle(block(x)) - block(shuffle(x))).abs().max() > 1e-3

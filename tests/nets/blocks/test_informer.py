"""Informer: full attention for the selective queries alone, the mean for the rest, and a half-length digest."""

import math

import pytest
import torch
from torch import Tensor

from synthcity.errors import ConfigError
from synthcity.nets import registry
from synthcity.nets.blocks.base import BuildContext
from synthcity.nets.blocks.informer import active_queries, num_active, prob_sparse
from synthcity.nets.conformance import noise
from tests.nets.test_blocks import build

SEQ = 48


def queries_keys_values() -> tuple[Tensor, Tensor, Tensor]:
    q, k, v = torch.randn(3, 2, 4, SEQ, 8, generator=torch.Generator().manual_seed(0)).unbind(0)
    return q, k, v


def test_all_queries_and_keys_give_full_attention():
    q, k, v = queries_keys_values()
    full = (q @ k.transpose(-1, -2) / math.sqrt(8)).softmax(-1) @ v
    torch.testing.assert_close(prob_sparse(q, k, v, 100, torch.arange(SEQ)), full, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("factor", [1, 3, 5])
def test_factor_ln_seq_queries_attend_and_the_others_take_the_mean(factor: int):
    q, k, v = queries_keys_values()
    mixed = prob_sparse(q, k, v, factor, torch.arange(10))
    lazy = (mixed - v.mean(2, keepdim=True)).abs().amax(-1) == 0
    assert ((~lazy).sum(-1) == math.ceil(factor * math.log(SEQ))).all()
    assert not lazy[..., -1].any(), "the last query, where forecasts are read, must attend"
    full = (q @ k.transpose(-1, -2) / math.sqrt(8)).softmax(-1) @ v
    torch.testing.assert_close(mixed[~lazy], full[~lazy], rtol=1e-5, atol=1e-5)


def test_the_most_selective_queries_are_the_active_ones():
    q, k, _ = queries_keys_values()
    sharp = [3, 17, 30]
    q[:, :, sharp] *= 20
    k[..., 0] = 1.0
    q[:, :, 5], q[:, :, 5, 0] = 0.0, 1000.0  # high scores, but the same for every key
    assert num_active(1, SEQ) == 4
    active = active_queries(q, k[:, :, ::5], factor=1).sort(-1).values
    assert (active == torch.tensor([*sharp, SEQ - 1])).all()


def test_sampled_keys_are_the_same_for_every_forecast_and_new_in_training():
    attention, x = build("informer", factor=2).attention, noise(1, SEQ)
    assert len(attention._keys(x).unique()) == num_active(2, SEQ)
    assert torch.equal(attention._keys(x), attention._keys(x))
    attention.train()
    assert not torch.equal(attention._keys(x), attention._keys(x))


@pytest.mark.parametrize("seq", [47, 48])
def test_distilling_adds_a_digest_of_half_length(seq: int):
    block, x = build("informer"), noise(1, seq)
    lengths: list[int] = []
    block.distil.attention.register_forward_pre_hook(lambda _, inputs: lengths.append(inputs[0].shape[1]))
    digest = block.distil(x)
    assert lengths == [24]
    assert torch.equal(digest[:, 0:46:2], digest[:, 1:46:2])
    whole = block(x)
    block.distil = None
    assert (whole - block(x)).abs().max() > 1e-2


def test_order_matters():
    # every query active and no digest, so that rotary positions alone can tell the order
    block, x = build("informer", factor=8, distil=False), noise(1, 12)
    order = torch.randperm(12, generator=torch.Generator().manual_seed(3))
    assert num_active(8, 12) == 12
    assert (block(x)[:, order] - block(x[:, order])).abs().max() > 1e-4


def test_heads_that_do_not_fit_are_refused():
    entry = registry.component("block", "informer")
    context = BuildContext(d_model=8, seq_len=9, num_features=4, horizon=12, num_future=3)
    with pytest.raises(ConfigError, match="n_heads is 8; it must divide d_model 8 into an even width"):
        entry.cls(context, entry.config(n_heads=8))

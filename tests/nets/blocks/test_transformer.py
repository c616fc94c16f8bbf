"""Transformer: every step hears every other, or the earlier ones alone; order comes from positions."""

import pytest
import torch

from synthcity.nets.conformance import first_changed, noise
from tests.nets.test_blocks import build


@pytest.mark.parametrize("at", [30, 63])
def test_a_causal_transformer_never_looks_ahead(at: int):
    assert first_changed(build("transformer", causal=True), at) == at


def test_transformer_sees_order_only_through_positions():
    order = torch.randperm(48, generator=torch.Generator().manual_seed(3))
    x = noise(1, 48)
    blind = build("transformer", position="none")
    torch.testing.assert_close(blind(x)[:, order], blind(x[:, order]), rtol=1e-4, atol=1e-5)
    aware = build("transformer", position="rotary")
    assert (aware(x)[:, order] - aware(x[:, order])).abs().max() > 1e-4


def test_without_causality_the_first_step_hears_the_last():
    assert first_changed(build("transformer"), 63) == 0


def test_its_mlp_is_as_wide_as_it_is_told():
    assert build("transformer", expansion=3).mlp[1].out_features == 3 * 16

"""iTransformer: the series of a variate is a token, attention is between variates."""

import torch

from synthcity.nets.conformance import noise
from tests.nets.test_blocks import build


def test_order_of_variates_means_nothing_and_order_of_time_much():
    block, x = build("itransformer", variates=8), noise(2, 48)  # two channels each
    generator = torch.Generator().manual_seed(0)
    variates = torch.randperm(8, generator=generator)
    order = (2 * variates[:, None] + torch.arange(2)).flatten()
    torch.testing.assert_close(block.mix(x)[..., order], block.mix(x[..., order]), rtol=1e-4, atol=1e-5)
    time = torch.randperm(48, generator=generator)
    assert (block.mix(x)[:, time] - block.mix(x[:, time])).abs().max() > 1e-3
    assert (block.mix(x) - block.mix(x[:, time])).abs().max() > 1e-3, (
        "a token is a series, not a summary blind to order"
    )


def test_a_variate_hears_the_whole_series_of_the_others():
    block, x = build("itransformer", variates=8), noise(1, 48)
    moved = x.clone()
    moved[:, 0, :2] *= -5  # the first step of the first variate
    others_at_the_end = (block.mix(x) - block.mix(moved))[:, -1, 2:].abs()
    assert (others_at_the_end > 0).any(dim=0).all()
    assert others_at_the_end.max() > 1e-5


def test_variates_are_cut_to_a_divisor_of_the_width():
    assert build("itransformer", variates=32).variates == 16

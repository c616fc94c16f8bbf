"""Attention that the blocks share: rotary angles, causality, and heads that must divide the width."""

import pytest
import torch

from synthcity.errors import ConfigError
from synthcity.nets.blocks.attention import AttentionLayer, SelfAttention, check_heads, rotary_angles, rotate
from synthcity.nets.conformance import noise


def test_rotary_scores_depend_on_distance_alone():
    q, k = torch.randn(2, 1, 8, generator=torch.Generator().manual_seed(0)).unbind(0)
    cos, sin = rotary_angles(40, 8, q)
    rotated_q, rotated_k = rotate(q.expand(40, 8), cos, sin), rotate(k.expand(40, 8), cos, sin)
    scores = rotated_q @ rotated_k.T
    torch.testing.assert_close(scores[5, 2], scores[35, 32], rtol=1e-4, atol=1e-4)


def test_turning_keeps_lengths_and_position_0_stays():
    x = noise(1, 40)
    turned = rotate(x, *rotary_angles(40, 16, x))
    torch.testing.assert_close(turned.norm(dim=-1), x.norm(dim=-1))
    torch.testing.assert_close(turned[:, 0], x[:, 0])
    assert (turned[:, 1:] - x[:, 1:]).abs().amax(-1).min() > 0.01


def test_angles_are_positions_times_falling_frequencies():
    cos, sin = rotary_angles(5, 4, torch.zeros(1, dtype=torch.float64))
    angle = torch.arange(5)[:, None] * torch.tensor([1.0, 0.01])
    torch.testing.assert_close(cos, angle.cos().double())
    torch.testing.assert_close(sin, angle.sin().double())


def test_scores_are_shares_of_what_the_values_say():
    """With equal queries, every step is answered by the mean of the values."""
    torch.manual_seed(0)
    attention, x = SelfAttention(16, 2, rotary=False), noise(2, 9)
    with torch.no_grad():
        attention.qkv.weight[:16] = 0.0
        attention.qkv.bias[:16] = 0.0
        values = attention.qkv(x)[..., 32:].mean(1, keepdim=True).expand(-1, 9, -1)
        torch.testing.assert_close(attention(x), attention.out(values))


def test_a_causal_layer_answers_the_same_while_more_comes():
    torch.manual_seed(0)
    layer, x = AttentionLayer(16, 4, expansion=2, dropout=0.5, causal=True).eval(), noise(1, 30)
    torch.testing.assert_close(layer(x)[:, :20], layer(x[:, :20]), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("d_model", "num_heads", "even"), [(16, 3, False), (16, 16, True), (10, 2, True)])
def test_heads_that_do_not_divide_the_width_are_refused(d_model: int, num_heads: int, even: bool):
    with pytest.raises(ConfigError, match=f"n_heads is {num_heads}; it must divide d_model {d_model}") as caught:
        check_heads(d_model, num_heads, even=even)
    assert str(caught.value).endswith(" into an even width") == even


def test_heads_that_divide_the_width_pass():
    check_heads(16, 16, even=False)
    check_heads(16, 8, even=True)

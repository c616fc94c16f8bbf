"""Multi-head attention and the layer around it, shared by the blocks that attend."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from synthcity.errors import ConfigError


class SelfAttention(nn.Module):
    """Scaled dot-product attention of a sequence to itself, (batch, seq, d_model) -> the same; any length.

    Order comes from rotary angles in the queries and keys (Su et al., RoFormer, arXiv 2104.09864), which depend on
    relative position alone; without ``rotary`` it is blind to order. ``num_heads`` must divide ``d_model``, with rotary
    angles into an even width.
    """

    def __init__(self, d_model: int, num_heads: int, *, causal: bool = False, rotary: bool = True) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.causal = causal
        self.rotary = rotary
        self.qkv = nn.Linear(d_model, 3 * d_model)
        self.out = nn.Linear(d_model, d_model)

    def forward(self, x_bsd: Tensor) -> Tensor:
        batch, seq, d = x_bsd.shape
        qkv = self.qkv(x_bsd).view(batch, seq, 3, self.num_heads, d // self.num_heads).permute(2, 0, 3, 1, 4)
        q_bhsk, k_bhsk, v_bhsk = qkv.unbind(0)
        if self.rotary:
            cos, sin = rotary_angles(seq, d // self.num_heads, x_bsd)
            q_bhsk, k_bhsk = rotate(q_bhsk, cos, sin), rotate(k_bhsk, cos, sin)
        mixed = scaled_dot_product_attention(q_bhsk, k_bhsk, v_bhsk, is_causal=self.causal)
        out: Tensor = self.out(mixed.transpose(1, 2).reshape(batch, seq, d))
        return out


class AttentionLayer(nn.Module):
    """Self-attention, then an MLP on each position, both on pre-norm residual branches; (batch, seq, width) kept."""

    def __init__(
        self,
        width: int,
        num_heads: int,
        *,
        expansion: int,
        dropout: float,
        causal: bool = False,
        rotary: bool = True,
    ) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width)
        self.attention = SelfAttention(width, num_heads, causal=causal, rotary=rotary)
        self.mlp = pre_norm_mlp(width, expansion, dropout)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x_bsd: Tensor) -> Tensor:
        x = x_bsd + self.dropout(self.attention(self.attention_norm(x_bsd)))
        out: Tensor = x + self.mlp(x)
        return out


def pre_norm_mlp(width: int, expansion: int, dropout: float) -> nn.Sequential:
    """Return the MLP branch of an attention layer: norm, widen by ``expansion``, GELU, narrow, dropout."""
    return nn.Sequential(
        nn.LayerNorm(width),
        nn.Linear(width, expansion * width),
        nn.GELU(),
        nn.Linear(expansion * width, width),
        nn.Dropout(dropout),
    )


def rotary_angles(seq: int, width: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """Return cosine and sine (seq, width / 2) of position times frequency, in the type of ``like``."""
    frequency = 10000.0 ** (-torch.arange(0, width, 2, device=like.device) / width)
    angle = torch.arange(seq, device=like.device)[:, None] * frequency
    return angle.cos().to(like.dtype), angle.sin().to(like.dtype)


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn each pair of channels of (..., seq, width) by its angle."""
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack((even * cos - odd * sin, even * sin + odd * cos), dim=-1).flatten(-2)


def check_heads(d_model: int, num_heads: int, *, even: bool) -> None:
    """Refuse heads that do not divide ``d_model``, or not into an even width where rotary angles need one.

    Raises:
        ConfigError: the text gives both numbers.
    """
    if d_model % (num_heads * (2 if even else 1)):
        raise ConfigError(f"n_heads is {num_heads}; it must divide d_model {d_model}{' into an even width' * even}")

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from synthcity.nets.blocks.base import BuildContext
from synthcity.nets.parameters import boolean, choice, integer, real
from synthcity.nets.registry import register_block


@register_block("transformer")
class TransformerBlock(nn.Module):
    """Multi-head softmax attention over the history, then a per-step MLP.

    Every step asks every other step for information by scaled dot-product similarity (Vaswani et al., Attention Is
    All You Need, NeurIPS 2017, arXiv 1706.03762). Pre-norm residuals, GELU MLP. Order comes from rotary angles in the
    queries and keys (Su et al., RoFormer, arXiv 2104.09864), which depend on relative position alone, so any length
    works.

    Shapes: (batch, seq, d_model) -> the same. Cost grows with seq squared.
    """

    @dataclass(frozen=True, kw_only=True)
    class Config:
        n_heads: int = choice(4, (1, 2, 4, 8), doc="attention heads; must divide d_model into an even width")
        expansion: int = integer(2, low=1, high=4, doc="width of the MLP in units of d_model")
        dropout: float = real(0.1, low=0.0, high=0.5, doc="dropout on both residual branches")
        causal: bool = boolean(False, doc="let a step see only earlier steps")
        position: str = choice("rotary", ("rotary", "none"), doc="relative positions, or none (order-blind)")

    def __init__(self, context: BuildContext, config: Config) -> None:
        super().__init__()
        d = context.d_model
        self.config = config
        self.attention_norm = nn.LayerNorm(d)
        self.qkv = nn.Linear(d, 3 * d)
        self.out = nn.Linear(d, d)
        self.mlp = nn.Sequential(
            nn.LayerNorm(d),
            nn.Linear(d, config.expansion * d),
            nn.GELU(),
            nn.Linear(config.expansion * d, d),
            nn.Dropout(config.dropout),
        )
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x_bsd: Tensor) -> Tensor:
        x = x_bsd + self.dropout(self._attend(self.attention_norm(x_bsd)))
        out: Tensor = x + self.mlp(x)
        return out

    def _attend(self, x_bsd: Tensor) -> Tensor:
        batch, seq, d = x_bsd.shape
        heads = self.config.n_heads
        qkv = self.qkv(x_bsd).view(batch, seq, 3, heads, d // heads).permute(2, 0, 3, 1, 4)
        q_bhsk, k_bhsk, v_bhsk = qkv.unbind(0)
        if self.config.position == "rotary":
            cos, sin = rotary_angles(seq, d // heads, x_bsd)
            q_bhsk, k_bhsk = _rotate(q_bhsk, cos, sin), _rotate(k_bhsk, cos, sin)
        mixed = scaled_dot_product_attention(q_bhsk, k_bhsk, v_bhsk, is_causal=self.config.causal)
        out: Tensor = self.out(mixed.transpose(1, 2).reshape(batch, seq, d))
        return out


def rotary_angles(seq: int, width: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """Return cosine and sine (seq, width / 2) of position times frequency, in the type of ``like``."""
    frequency = 10000.0 ** (-torch.arange(0, width, 2, device=like.device) / width)
    angle = torch.arange(seq, device=like.device)[:, None] * frequency
    return angle.cos().to(like.dtype), angle.sin().to(like.dtype)


def _rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack((even * cos - odd * sin, even * sin + odd * cos), dim=-1).flatten(-2)

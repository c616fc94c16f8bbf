from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from synthcity.nets.blocks.attention import SelfAttention
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
        self.attention_norm = nn.LayerNorm(d)
        self.attention = SelfAttention(d, config.n_heads, causal=config.causal, rotary=config.position == "rotary")
        self.mlp = nn.Sequential(
            nn.LayerNorm(d),
            nn.Linear(d, config.expansion * d),
            nn.GELU(),
            nn.Linear(config.expansion * d, d),
            nn.Dropout(config.dropout),
        )
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x_bsd: Tensor) -> Tensor:
        x = x_bsd + self.dropout(self.attention(self.attention_norm(x_bsd)))
        out: Tensor = x + self.mlp(x)
        return out

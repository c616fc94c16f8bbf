from __future__ import annotations

from dataclasses import dataclass

from synthcity.nets.blocks.attention import AttentionLayer
from synthcity.nets.blocks.base import BuildContext
from synthcity.nets.parameters import boolean, choice, integer, real
from synthcity.nets.registry import register_block


@register_block("transformer")
class TransformerBlock(AttentionLayer):
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
        super().__init__(
            context.d_model,
            config.n_heads,
            expansion=config.expansion,
            dropout=config.dropout,
            causal=config.causal,
            rotary=config.position == "rotary",
        )

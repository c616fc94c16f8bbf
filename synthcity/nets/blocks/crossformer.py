from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import pad, scaled_dot_product_attention

from synthcity.nets.blocks.attention import AttentionLayer, pre_norm_mlp
from synthcity.nets.blocks.base import BuildContext, ResidualBlock
from synthcity.nets.parameters import choice, integer, real
from synthcity.nets.registry import register_block


@register_block("crossformer")
class CrossformerBlock(ResidualBlock):
    """Attention in two stages on a grid of variates and time segments: across time, then across variates.

    Each segment of neighbouring steps of each variate is a token. First every variate attends over its own segments;
    then, within each segment, a few learned routers gather from all variates and every variate reads from the routers,
    so that the cost grows with the number of variates, not its square (Zhang & Yan, Crossformer: Transformer Utilizing
    Cross-Dimension Dependency for Multivariate Time Series Forecasting, ICLR 2023, OpenReview vSVLM2j9eie). Differs
    from the paper: variates are groups of neighbouring latent channels, with one learned vector each; rotary positions
    in time and routers shared by all segments, so that any length works; padding goes before the first step; pre-norm;
    one scale only, as blocks of other ``segment`` stacked give the coarser ones that the paper merges.

    Shapes: (batch, seq, d_model) -> the same, any length. Cost grows with variates times (segments squared).
    """

    @dataclass(frozen=True, kw_only=True)
    class Config:
        variates: int = choice(4, (2, 4, 8), doc="groups of channels, the rows of the grid")
        segment: int = choice(6, (3, 6, 12), doc="steps in a segment")
        routers: int = integer(4, low=2, high=10, doc="vectors through which the variates of a segment talk")
        token_width: int = choice(32, (16, 32, 64), doc="width of a token")
        n_heads: int = choice(4, (1, 2, 4, 8), doc="attention heads")
        expansion: int = integer(2, low=1, high=4, doc="width of the MLPs in units of token_width")
        dropout: float = real(0.1, low=0.0, high=0.5, doc="dropout on all residual branches")

    def __init__(self, context: BuildContext, config: Config) -> None:
        super().__init__(context, config.dropout)
        self.variates, self.segment = math.gcd(config.variates, context.d_model), config.segment
        span, width = config.segment * context.d_model // self.variates, config.token_width
        self.embed = nn.Linear(span, width)
        self.variate = nn.Parameter(0.1 * torch.randn(self.variates, 1, width))
        self.time_stage = AttentionLayer(width, config.n_heads, expansion=config.expansion, dropout=config.dropout)
        self.variate_stage = RouterLayer(width, config)
        self.back = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, span))

    def mix(self, x_bsd: Tensor) -> Tensor:
        """Letters: g variate, n segment, k channel of a token."""
        batch, seq, _ = x_bsd.shape
        x_bgnk = self.embed(self._cut(x_bsd)) + self.variate
        x_bgnk = self.time_stage(x_bgnk.flatten(0, 1)).unflatten(0, (batch, self.variates))
        x_bngk = self.variate_stage(x_bgnk.transpose(1, 2).flatten(0, 1)).unflatten(0, (batch, -1))
        pieces = self.back(x_bngk).unflatten(3, (-1, self.segment))  # (batch, n, g, d / g, segment)
        out: Tensor = pieces.permute(0, 1, 4, 2, 3).flatten(3).flatten(1, 2)
        return out[:, -seq:]

    def _cut(self, x_bsd: Tensor) -> Tensor:
        """Cut into (batch, variates, segments, d / variates * segment); the last segment ends at the last step."""
        missing = -x_bsd.shape[1] % self.segment
        x_bds = pad(x_bsd.transpose(1, 2), (missing, 0), mode="replicate")
        pieces = x_bds.unflatten(2, (-1, self.segment)).unflatten(1, (self.variates, -1))
        out: Tensor = pieces.transpose(2, 3).flatten(3)
        return out


class RouterLayer(nn.Module):
    """Variates (batch, g, width) exchange through c routers, then an MLP, both on pre-norm residual branches."""

    def __init__(self, width: int, config: CrossformerBlock.Config) -> None:
        super().__init__()
        self.routers_ck = nn.Parameter(torch.randn(config.routers, width))
        self.norm = nn.LayerNorm(width)
        self.gather = _CrossAttention(width, config.n_heads)
        self.spread = _CrossAttention(width, config.n_heads)
        self.mlp = pre_norm_mlp(width, config.expansion, config.dropout)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x_bgk: Tensor) -> Tensor:
        normed_bgk = self.norm(x_bgk)
        gathered_bck = self.gather(self.routers_ck.expand(len(x_bgk), -1, -1), normed_bgk)
        x_bgk = x_bgk + self.dropout(self.spread(normed_bgk, gathered_bck))
        out: Tensor = x_bgk + self.mlp(x_bgk)
        return out


class _CrossAttention(nn.Module):
    """Queries (batch, m, width) read from (batch, n, width): (batch, m, width)."""

    def __init__(self, width: int, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width, bias=False)  # softmax ignores a key's bias, `out` has the value's
        self.out = nn.Linear(width, width)

    def forward(self, x_bmk: Tensor, source_bnk: Tensor) -> Tensor:
        q, k, v = (
            part.unflatten(2, (self.num_heads, -1)).transpose(1, 2)
            for part in (self.query(x_bmk), *self.key_value(source_bnk).chunk(2, dim=-1))
        )
        out: Tensor = self.out(scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))
        return out

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor, nn

from synthcity.nets.blocks.attention import AttentionLayer
from synthcity.nets.blocks.base import BuildContext, BuiltLengthBlock
from synthcity.nets.parameters import choice, integer, real
from synthcity.nets.registry import register_block


@register_block("itransformer", needs_seq_len=True)
class ITransformerBlock(BuiltLengthBlock):
    """Attention between variates instead of between steps: the whole series of each variate is one token.

    A linear map turns each series into a token, tokens attend to each other, so that variates which move together
    inform one another, the MLP works on each token, and a linear map turns tokens back to series (Liu et al.,
    iTransformer: Inverted Transformers Are Effective for Time Series Forecasting, ICLR 2024, arXiv 2310.06625). Time is
    mixed by the two linear maps alone. Differs from the paper: the variates are groups of neighbouring latent channels
    instead of measured series; the token goes back to the history's own steps; the sequence is normalised over channels
    as in every block here, not over time, which would take away the level.

    Shapes: (batch, seq, d_model) -> the same; the branch of another length is averaged or interpolated to the built one
    and back. Cost grows with seq, and with the number of variates squared, which is small.
    """

    @dataclass(frozen=True, kw_only=True)
    class Config:
        variates: int = choice(
            16, (4, 8, 16, 32), doc="groups of channels, one token each; cut to a divisor of d_model"
        )
        token_width: int = choice(32, (16, 32, 64), doc="width of a token")
        n_heads: int = choice(4, (1, 2, 4, 8), doc="attention heads")
        layers: int = integer(1, low=1, high=2, doc="attention layers over the variates")
        expansion: int = integer(2, low=1, high=4, doc="width of the MLP in units of token_width")
        dropout: float = real(0.1, low=0.0, high=0.5, doc="dropout on all residual branches")

    def __init__(self, context: BuildContext, config: Config) -> None:
        super().__init__(context, config.dropout)
        self.variates = math.gcd(config.variates, context.d_model)
        span, width = context.seq_len * context.d_model // self.variates, config.token_width
        self.embed = nn.Linear(span, width)
        # blind to the order of variates, which means nothing
        self.layers = nn.Sequential(
            *(
                AttentionLayer(width, config.n_heads, expansion=config.expansion, dropout=config.dropout, rotary=False)
                for _ in range(config.layers)
            )
        )
        self.back = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, span))

    def mix_built(self, x_bsd: Tensor) -> Tensor:
        series_bgn = x_bsd.unflatten(2, (self.variates, -1)).permute(0, 2, 3, 1).flatten(2)
        mixed_bgn = self.back(self.layers(self.embed(series_bgn)))
        out: Tensor = mixed_bgn.unflatten(2, (-1, self.seq_len)).permute(0, 3, 1, 2).flatten(2)
        return out

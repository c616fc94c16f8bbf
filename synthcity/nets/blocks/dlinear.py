from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn.functional import avg_pool1d, pad

from synthcity.nets.blocks.base import BuildContext, BuiltLengthBlock
from synthcity.nets.parameters import choice, real
from synthcity.nets.registry import register_block


@register_block("dlinear", needs_seq_len=True)
class DLinearBlock(BuiltLengthBlock):
    """Split each channel into moving average and remainder, and map each part over time by one linear layer.

    Every output step is a weighted sum of all steps of the trend and of the season, with the same weights for all
    channels (Zeng et al., Are Transformers Effective for Time Series Forecasting?, AAAI 2023, arXiv 2205.13504). The
    cheapest block that sees the whole history; it mixes time only, never channels, and has no nonlinearity but its
    norm. Differs from the paper: it maps the history to a latent of the same length instead of to the horizon, with
    pre-norm and residual, so that it stacks.

    Shapes: (batch, seq, d_model) -> the same; the branch of another length is averaged or interpolated to the built one
    and back. Cost and weights grow with seq squared, but no step costs more than two products.
    """

    @dataclass(frozen=True, kw_only=True)
    class Config:
        kernel: int = choice(13, (5, 9, 13, 25), doc="width of the moving average in tokens")
        dropout: float = real(0.1, low=0.0, high=0.5, doc="dropout on the residual branch")

    def __init__(self, context: BuildContext, config: Config) -> None:
        super().__init__(context, config.dropout)
        self.kernel = config.kernel
        self.trend = nn.Linear(context.seq_len, context.seq_len)
        self.season = nn.Linear(context.seq_len, context.seq_len)

    def mix_built(self, x_bsd: Tensor) -> Tensor:
        x_bds = x_bsd.transpose(1, 2)
        trend_bds = moving_average(x_bds, self.kernel)
        out: Tensor = self.trend(trend_bds) + self.season(x_bds - trend_bds)
        return out.transpose(1, 2)


def moving_average(x_bds: Tensor, kernel: int) -> Tensor:
    """Average ``kernel`` (odd) steps round each step of (batch, d, seq); beyond the ends the end values go on."""
    return avg_pool1d(pad(x_bds, (kernel // 2, kernel // 2), mode="replicate"), kernel, stride=1)

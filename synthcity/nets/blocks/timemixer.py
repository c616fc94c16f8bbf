from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from torch import Tensor, nn
from torch.nn.functional import avg_pool1d, pad

from synthcity.nets.blocks.base import BuildContext, ResidualBlock
from synthcity.nets.blocks.decomposition import split_trend
from synthcity.nets.blocks.length import at_length
from synthcity.nets.parameters import choice, integer, real
from synthcity.nets.registry import register_block


@register_block("timemixer", needs_seq_len=True)
class TimeMixerBlock(ResidualBlock):
    """Mixes several time scales: seasons from fine to coarse, trends from coarse to fine.

    Average pooling by two makes coarser copies of the sequence. A moving average splits each into season and trend.
    Season mixing carries detail upwards: each coarser season receives a two-layer map, along time, of the finer one.
    Trend mixing carries the long view downwards, from each coarser trend to the finer one. Sum and MLP join both at
    each scale, and every scale then has its own linear map along time to the output, in which they are summed, as the
    paper's predictors are (Wang et al., TimeMixer: Decomposable Multiscale Mixing for Time Series Forecasting,
    ICLR 2024, arXiv 2405.14616).

    Differences from the paper: one round of mixing a block; the predictors reach the sequence instead of the horizon;
    pooling pads before the first step, so that the last step counts at every scale; pre-norm residual. The maps along
    time belong to the length that the block was built for: other lengths are averaged or interpolated to it and back.

    Shapes: (batch, seq, d_model) -> the same. Cost and parameters grow with the square of the built length.
    """

    @dataclass(frozen=True, kw_only=True)
    class Config:
        num_scales: int = integer(3, low=2, high=4, doc="time scales, each half as fine as the one before")
        kernel: int = choice(13, (5, 13, 25), doc="steps of the moving average that is the trend, at each scale")
        expansion: int = integer(2, low=1, high=4, doc="width of the MLP in units of d_model")
        dropout: float = real(0.1, low=0.0, high=0.5, doc="dropout on the residual branch")

    def __init__(self, context: BuildContext, config: Config) -> None:
        super().__init__(context, config.dropout)
        self.seq_len, self.kernel = context.seq_len, config.kernel
        lengths = [context.seq_len]
        while len(lengths) < config.num_scales:
            lengths.append((lengths[-1] + 1) // 2)
        self.coarser = nn.ModuleList(_time_mlp(fine, coarse) for fine, coarse in pairwise(lengths))
        self.finer = nn.ModuleList(_time_mlp(coarse, fine) for fine, coarse in pairwise(lengths))
        self.mlp = nn.Sequential(
            nn.Linear(context.d_model, config.expansion * context.d_model),
            nn.GELU(),
            nn.Linear(config.expansion * context.d_model, context.d_model),
        )
        self.predictors = nn.ModuleList(nn.Linear(length, context.seq_len) for length in lengths)

    def mix(self, x_bsd: Tensor) -> Tensor:
        scales = [at_length(x_bsd, self.seq_len)]
        for _ in self.coarser:
            scales.append(halve(scales[-1]))
        parts = [split_trend(scale, self.kernel) for scale in scales]
        seasons = self.mix_seasons([season for season, _ in parts])
        trends = self.mix_trends([trend for _, trend in parts])
        out = x_bsd.new_zeros(())
        for scale, season, trend, predictor in zip(scales, seasons, trends, self.predictors, strict=True):
            out = out + along_time(predictor, scale + self.mlp(season + trend))
        return at_length(out, x_bsd.shape[1])

    def mix_seasons(self, seasons: list[Tensor]) -> list[Tensor]:
        """Add to each coarser season what the finer one, itself mixed, sends up; finest first."""
        mixed = [seasons[0]]
        for season, up in zip(seasons[1:], self.coarser, strict=True):
            mixed.append(season + along_time(up, mixed[-1]))
        return mixed

    def mix_trends(self, trends: list[Tensor]) -> list[Tensor]:
        """Add to each finer trend what the coarser one, itself mixed, sends down; finest first."""
        mixed = [trends[-1]]
        for trend, down in zip(reversed(trends[:-1]), reversed(self.finer), strict=True):
            mixed.append(trend + along_time(down, mixed[-1]))
        return mixed[::-1]


def halve(x_bsd: Tensor) -> Tensor:
    """Average pairs of steps; with an odd number the first step stands alone."""
    x_bds = x_bsd.transpose(1, 2)
    if x_bds.shape[-1] % 2:
        x_bds = pad(x_bds, (1, 0), mode="replicate")
    return avg_pool1d(x_bds, 2).transpose(1, 2)


def along_time(layer: nn.Module, x_bsd: Tensor) -> Tensor:
    """Apply ``layer`` to the time axis of (batch, seq, d)."""
    out: Tensor = layer(x_bsd.transpose(1, 2)).transpose(1, 2)
    return out


def _time_mlp(source: int, target: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(source, target), nn.GELU(), nn.Linear(target, target))

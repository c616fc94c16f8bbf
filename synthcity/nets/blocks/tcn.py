from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn.functional import pad
from torch.nn.utils.parametrizations import weight_norm

from synthcity.nets.blocks.base import BuildContext, ResidualBlock
from synthcity.nets.parameters import integer, real
from synthcity.nets.registry import register_block


@register_block("tcn", causal=True)
class TCNBlock(ResidualBlock):
    """Temporal convolutional network: causal convolutions whose dilation doubles from level to level.

    Each level has two weight-normalised dilated convolutions, each with ReLU and channel dropout, around a residual
    (Bai, Kolter & Koltun, 2018, arXiv 1803.01271). The receptive field is 1 + 2 (kernel - 1) (2^levels - 1) steps.

    Shapes: (batch, seq, d_model) -> the same. Cost grows with seq, all steps at once.
    """

    @dataclass(frozen=True, kw_only=True)
    class Config:
        levels: int = integer(4, low=1, high=7, doc="residual levels; the dilation of level l is 2^l")
        kernel: int = integer(3, low=2, high=5, doc="taps of each convolution")
        dropout: float = real(
            0.1, low=0.0, high=0.5, doc="dropout of whole channels inside, and of the residual branch"
        )

    def __init__(self, context: BuildContext, config: Config) -> None:
        super().__init__(context, config.dropout)
        self.levels = nn.ModuleList(
            _Level(context.d_model, config.kernel, 2**level, config.dropout) for level in range(config.levels)
        )

    def mix(self, x_bsd: Tensor) -> Tensor:
        x_bds = x_bsd.transpose(1, 2)
        for level in self.levels:
            x_bds = level(x_bds)
        return x_bds.transpose(1, 2)


class _Level(nn.Module):
    def __init__(self, width: int, kernel: int, dilation: int, dropout: float) -> None:
        super().__init__()
        self.left = (kernel - 1) * dilation
        self.first = weight_norm(nn.Conv1d(width, width, kernel, dilation=dilation))
        self.second = weight_norm(nn.Conv1d(width, width, kernel, dilation=dilation))
        self.dropout = nn.Dropout1d(dropout)

    def forward(self, x_bds: Tensor) -> Tensor:
        y = self.dropout(self.first(pad(x_bds, (self.left, 0))).relu())
        y = self.dropout(self.second(pad(y, (self.left, 0))).relu())
        out: Tensor = (x_bds + y).relu()
        return out

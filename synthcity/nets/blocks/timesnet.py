from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, gelu, pad

from synthcity.nets.blocks.base import BuildContext, ResidualBlock
from synthcity.nets.blocks.precision import full_precision
from synthcity.nets.parameters import choice, integer, real
from synthcity.nets.registry import register_block


@register_block("timesnet")
class TimesNetBlock(ResidualBlock):
    """Folds the history by its dominant periods into grids, on which 2-D convolutions see phase and cycle at once.

    The FFT names the ``top_k`` strongest frequencies of a window. For each, the series is cut into rows of one period,
    so that a column holds the same phase of all cycles; two inception layers (the mean of convolutions of 1, 3, 5, ..
    steps) with a GELU between them run over the grid; the grids are unfolded and summed with the softmax of the
    amplitudes (Wu et al., TimesNet: Temporal 2D-Variation Modeling for General Time Series Analysis, ICLR 2023,
    arXiv 2210.02186).

    Differences from the paper: the periods are each window's own, not shared by the batch, so that a forecast does not
    depend on what it is batched with; windows of equal period are convolved together. Padding goes before the first
    step, so that the last row is whole and ends at the last position. The amplitudes are those of the orthonormal FFT,
    whose softmax does not sharpen with length; frequency zero is left out. Pre-norm residual.

    Shapes: (batch, seq, d_model) -> the same; any length. Cost grows with seq, top_k, d_ff and the square of the
    largest kernel.
    """

    @dataclass(frozen=True, kw_only=True)
    class Config:
        top_k: int = integer(2, low=1, high=4, doc="periods used in each window")
        num_kernels: int = integer(3, low=1, high=4, doc="convolutions of an inception layer; the i-th is 2 i - 1 wide")
        d_ff: int = choice(16, (8, 16, 32), doc="channels between the two inception layers")
        dropout: float = real(0.1, low=0.0, high=0.5, doc="dropout on the residual branch")

    def __init__(self, context: BuildContext, config: Config) -> None:
        super().__init__(context, config.dropout)
        self.top_k = config.top_k
        self.first = _Inception(context.d_model, config.d_ff, config.num_kernels)
        self.second = _Inception(config.d_ff, context.d_model, config.num_kernels)

    def mix(self, x_bsd: Tensor) -> Tensor:
        period_bk, weight_bk = dominant_periods(x_bsd, self.top_k)
        first, second = self.first.merged(), self.second.merged()
        num_periods, period_g = period_bk.shape[1], period_bk.flatten()
        members, outputs = [], []
        for period in period_g.unique().tolist():
            at = (period_g == period).nonzero().squeeze(1)
            grid = fold(x_bsd[at // num_periods], period)
            grid = conv2d(gelu(conv2d(grid, *first, padding="same")), *second, padding="same")
            members.append(at)
            outputs.append(unfold(grid, x_bsd.shape[1]))
        out_gsd = torch.cat(outputs)[torch.cat(members).argsort()]
        out_bksd = out_gsd.unflatten(0, (-1, num_periods))
        out: Tensor = torch.einsum("bksd,bk->bsd", out_bksd, weight_bk.to(out_bksd.dtype))
        return out


def dominant_periods(x_bsd: Tensor, top_k: int) -> tuple[Tensor, Tensor]:
    """Return the periods in steps of the strongest frequencies, (batch, k), and the softmax of their amplitudes."""
    seq = x_bsd.shape[1]
    amplitude_bf = torch.fft.rfft(full_precision(x_bsd), dim=1, norm="ortho").abs().mean(-1)[:, 1:]
    top = amplitude_bf.topk(min(top_k, seq // 2))
    frequency = top.indices + 1
    return (seq + frequency - 1) // frequency, top.values.softmax(-1)


def fold(x_bsd: Tensor, period: int) -> Tensor:
    """Cut (batch, seq, d) into (batch, d, cycles, period), the last step in the last corner, zeros before the first."""
    rows_bcpd: Tensor = pad(x_bsd, (0, 0, -x_bsd.shape[1] % period, 0)).unflatten(1, (-1, period))
    return rows_bcpd.permute(0, 3, 1, 2)


def unfold(grid_bdcp: Tensor, seq: int) -> Tensor:
    """Undo ``fold`` to the last ``seq`` steps."""
    return grid_bdcp.flatten(2).transpose(1, 2)[:, -seq:]


class _Inception(nn.Module):
    """The mean of 2-D convolutions of 1, 3, 5, .. steps; being linear, they merge into one as wide as the widest."""

    def __init__(self, num_inputs: int, num_outputs: int, num_kernels: int) -> None:
        super().__init__()
        convs = (nn.Conv2d(num_inputs, num_outputs, 2 * i + 1) for i in range(num_kernels))
        self.weights = nn.ParameterList(conv.weight for conv in convs)
        self.bias = nn.Parameter(torch.zeros(num_outputs))

    def merged(self) -> tuple[Tensor, Tensor]:
        """Return weight and bias of the one convolution that equals the mean of all."""
        last = len(self.weights) - 1
        return torch.stack([pad(weight, (last - i,) * 4) for i, weight in enumerate(self.weights)]).mean(0), self.bias

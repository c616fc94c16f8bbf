from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from synthcity.nets.blocks.attention import check_heads
from synthcity.nets.blocks.base import BuildContext
from synthcity.nets.blocks.decomposition import DecompositionBlock, split_trend
from synthcity.nets.blocks.precision import full_precision
from synthcity.nets.parameters import choice, integer, real
from synthcity.nets.registry import register_block


@register_block("autoformer")
class AutoformerBlock(DecompositionBlock):
    """Looks back by whole delays: attention over delays instead of single steps, with trend and season kept apart.

    Auto-correlation scores every delay by how well the queries match the keys of so many steps before, all delays at
    once through the FFT (Wiener-Khinchin), and sums the values shifted by the factor ln(seq) best delays, weighted by
    a softmax. After it, and again after the MLP, a moving average splits off the trend, so that the MLP sees the
    seasonal part alone (Wu et al., Autoformer: Decomposition Transformers with Auto-Correlation, NeurIPS 2021,
    arXiv 2106.13008).

    Differences from the paper: each window and head keeps its own delays in training too, instead of sharing them in
    a batch; values come from the matching step of the past, so that the last position reads history; a delay's score
    is scaled like a dot product, so that its softmax does not sharpen with length; the shifts are summed as one
    circular convolution; the trends rejoin the output, since a block returns one sequence; pre-norm residuals. The
    window is taken as a circle: before the first step comes the last.

    Shapes: (batch, seq, d_model) -> the same; any length, aware of order by itself. Cost grows with seq log(seq).
    """

    @dataclass(frozen=True, kw_only=True)
    class Config:
        n_heads: int = choice(4, (1, 2, 4, 8), doc="groups of channels with their own delays; must divide d_model")
        factor: int = integer(2, low=1, high=4, doc="delays summed, in units of ln(seq)")
        kernel: int = choice(13, (5, 13, 25), doc="steps of the moving average that is the trend")
        expansion: int = integer(2, low=1, high=4, doc="width of the MLP in units of d_model")
        dropout: float = real(0.1, low=0.0, high=0.5, doc="dropout on both residual branches")

    def __init__(self, context: BuildContext, config: Config) -> None:
        super().__init__(context.d_model, config.expansion, config.dropout)
        check_heads(context.d_model, config.n_heads, even=False)
        self.num_heads, self.factor, self.kernel = config.n_heads, config.factor, config.kernel
        self.qkv = nn.Linear(context.d_model, 3 * context.d_model)
        self.out = nn.Linear(context.d_model, context.d_model)

    def mix(self, x_bsd: Tensor) -> Tensor:
        qkv = full_precision(self.qkv(x_bsd)).unflatten(2, (3, self.num_heads, -1)).permute(2, 0, 3, 4, 1)
        q_bhks, k_bhks, v_bhks = qkv.unbind(0)
        delays, weights = best_delays(delay_scores(q_bhks, k_bhks), self.factor)
        mixed_bhks = sum_of_delays(v_bhks, delays, weights)
        out: Tensor = self.out(mixed_bhks.flatten(1, 2).transpose(1, 2).to(x_bsd.dtype))
        return out

    def split(self, x_bsd: Tensor, stage: int) -> tuple[Tensor, Tensor]:
        return split_trend(x_bsd, self.kernel)


def delay_scores(q_bhks: Tensor, k_bhks: Tensor) -> Tensor:
    """Return (batch, heads, seq): the scaled dot product of the queries with the keys of so many steps before."""
    width, seq = q_bhks.shape[2:]
    spectrum = (torch.fft.rfft(q_bhks) * torch.fft.rfft(k_bhks).conj()).sum(2)
    score_bhs: Tensor = torch.fft.irfft(spectrum, n=seq) / math.sqrt(width * seq)
    return score_bhs


def best_delays(score_bhs: Tensor, factor: int) -> tuple[Tensor, Tensor]:
    """Return the ``factor`` ln(seq) delays of highest score, (batch, heads, count), and their softmax weights."""
    seq = score_bhs.shape[-1]
    top = score_bhs.topk(min(seq, math.ceil(factor * math.log(seq))))
    return top.indices, top.values.softmax(-1)


def sum_of_delays(v_bhks: Tensor, delays_bhc: Tensor, weights_bhc: Tensor) -> Tensor:
    """Return the sum over c of ``weights`` times the values ``delays`` steps before, round the circle."""
    seq = v_bhks.shape[-1]
    kernel_bhs = weights_bhc.new_zeros(*weights_bhc.shape[:2], seq).scatter(2, delays_bhc, weights_bhc)
    out: Tensor = torch.fft.irfft(torch.fft.rfft(v_bhks) * torch.fft.rfft(kernel_bhs)[:, :, None], n=seq)
    return out

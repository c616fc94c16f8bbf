from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import softshrink

from synthcity.nets.blocks.base import BuildContext, ResidualBlock
from synthcity.nets.blocks.precision import full_precision
from synthcity.nets.parameters import boolean, choice, integer, real
from synthcity.nets.registry import register_block


@register_block("frets")
class FreTSBlock(ResidualBlock):
    """Multilayer perceptrons on the complex spectrum, first over channels, then over time.

    The channels are projected to ``variates``, each embedded in ``width`` numbers. The channel learner takes the FFT
    over variates, the temporal learner over time; each sends every frequency through the same complex linear layers,
    full matrices between the embedding's components, with ReLU on real and imaginary part, shrinks small coefficients
    to zero and transforms back. A weight on a frequency acts on all steps at once, so the view is global (Yi et al.,
    Frequency-domain MLPs are More Effective Learners in Time Series Forecasting, NeurIPS 2023, arXiv 2311.06184).

    Differences from the paper: its variates are the input series, here they are projections of the latent channels;
    the flattening layer to the horizon gives way to a projection back; pre-norm residual around both learners. The
    window is taken as a circle.

    Shapes: (batch, seq, d_model) -> the same; any length, since all frequencies share the weights. Cost grows with
    seq log(seq) and with variates width^2; few parameters.
    """

    @dataclass(frozen=True, kw_only=True)
    class Config:
        variates: int = choice(4, (4, 8, 16), doc="projected series; the channel learner mixes between them")
        width: int = choice(16, (8, 16, 32), doc="embedding of each series, the size of the complex matrices")
        num_layers: int = integer(1, low=1, high=3, doc="complex layers of each learner")
        sparsity: float = real(0.01, low=0.0, high=0.1, doc="shrink spectral coefficients towards zero by this")
        channel_mix: bool = boolean(True, doc="learn over variates before learning over time")
        dropout: float = real(0.1, low=0.0, high=0.5, doc="dropout on the residual branch")

    def __init__(self, context: BuildContext, config: Config) -> None:
        super().__init__(context, config.dropout)
        self.variates = config.variates
        sizes = (config.width, config.num_layers, config.sparsity)
        self.embed = nn.Linear(context.d_model, config.variates * config.width)
        self.channel = _FrequencyLearner(*sizes) if config.channel_mix else None
        self.temporal = _FrequencyLearner(*sizes)
        self.out = nn.Linear(config.variates * config.width, context.d_model, bias=False)

    def mix(self, x_bsd: Tensor) -> Tensor:
        h_bsve = full_precision(self.embed(x_bsd)).unflatten(2, (self.variates, -1))
        if self.channel is not None:
            h_bsve = self.channel(h_bsve, dim=2)
        h_bsve = self.temporal(h_bsve, dim=1)
        out: Tensor = self.out(h_bsve.flatten(2).to(x_bsd.dtype))
        return out


class _FrequencyLearner(nn.Module):
    """The same complex layers for every frequency along one dimension; weights and biases are (real, imaginary)."""

    def __init__(self, width: int, num_layers: int, sparsity: float) -> None:
        super().__init__()
        self.sparsity = sparsity
        # real and imaginary part share a variance of 2 / width, since ReLU drops half of the power
        self.weight_lcio = nn.Parameter(torch.randn(num_layers, 2, width, width) * width**-0.5)
        self.bias_lco = nn.Parameter(torch.zeros(num_layers, 2, width))

    def forward(self, x: Tensor, dim: int) -> Tensor:
        z = torch.fft.rfft(x, dim=dim, norm="ortho")
        for weight_cio, bias_co in zip(full_precision(self.weight_lcio), full_precision(self.bias_lco), strict=True):
            z = z @ torch.complex(*weight_cio) + torch.complex(*bias_co)
            z = torch.complex(z.real.relu(), z.imag.relu())
        z = torch.complex(softshrink(z.real, self.sparsity), softshrink(z.imag, self.sparsity))
        out: Tensor = torch.fft.irfft(z, n=x.shape[dim], dim=dim, norm="ortho")
        return out

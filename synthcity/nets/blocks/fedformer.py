from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from synthcity.nets.blocks.attention import check_heads
from synthcity.nets.blocks.base import BuildContext
from synthcity.nets.blocks.decomposition import DecompositionBlock, smoothing
from synthcity.nets.blocks.length import at_length
from synthcity.nets.blocks.precision import full_precision
from synthcity.nets.parameters import choice, integer, real
from synthcity.nets.registry import register_block

_KERNELS = (5, 13, 25)  # steps of the moving averages that each split weighs


@register_block("fedformer", needs_seq_len=True)
class FEDformerBlock(DecompositionBlock):
    """Mixes channels frequency by frequency, on a few randomly chosen frequencies, with trend and season kept apart.

    The frequency-enhanced block takes the FFT over time, keeps a random but fixed subset of modes, multiplies each by
    its own learned complex matrix that mixes the channels of a head, and transforms back; all other modes are zero.
    After it, and again after the MLP, moving averages of 5, 13 and 25 steps, weighted step by step through a softmax,
    split off the trend (Zhou et al., FEDformer: Frequency Enhanced Decomposed Transformer, ICML 2022,
    arXiv 2201.12740).

    Differences from the paper: the Fourier variant of self-mixing only, no wavelets and no cross-attention, since a
    block has one input; the trends rejoin the output; pre-norm residuals. The modes belong to the length that the
    block was built for: other lengths are averaged or interpolated to it and back.

    Shapes: (batch, seq, d_model) -> the same. Cost grows with seq log(seq); parameters with modes d_model^2 / n_heads.
    """

    @dataclass(frozen=True, kw_only=True)
    class Config:
        modes: int = integer(12, low=2, high=32, doc="frequencies kept, at most seq / 2 + 1")
        select: str = choice("random", ("random", "low"), doc="keep frequencies at random, or the lowest ones")
        seed: int = integer(0, low=0, high=9, doc="which random frequencies; differ it within a stack")
        n_heads: int = choice(4, (1, 2, 4, 8), doc="groups of channels mixed by a matrix; must divide d_model")
        expansion: int = integer(2, low=1, high=4, doc="width of the MLP in units of d_model")
        dropout: float = real(0.1, low=0.0, high=0.5, doc="dropout on both residual branches")

    def __init__(self, context: BuildContext, config: Config) -> None:
        super().__init__(context.d_model, config.expansion, config.dropout)
        check_heads(context.d_model, config.n_heads, even=False)
        d, self.seq_len, self.num_heads = context.d_model, context.seq_len, config.n_heads
        num_frequencies = self.seq_len // 2 + 1
        self.num_modes = min(config.modes, num_frequencies)
        order = torch.arange(num_frequencies)
        if config.select == "random":
            order = torch.randperm(num_frequencies, generator=torch.Generator().manual_seed(config.seed))
        # one at the chosen frequencies, else zero; kept with the weights, and like them a float, so that they can be
        # averaged over training steps and saved as one
        self.register_buffer("chosen_f", torch.zeros(num_frequencies).index_fill_(0, order[: self.num_modes], 1.0))
        width = d // config.n_heads
        self.weight_cmhio = nn.Parameter(torch.randn(2, self.num_modes, self.num_heads, width, width))
        with torch.no_grad():
            self.weight_cmhio.mul_((2 * width) ** -0.5)
        self.value = nn.Linear(d, d)
        self.out = nn.Linear(d, d)
        self.experts = nn.ModuleList(nn.Linear(d, len(_KERNELS)) for _ in range(2))

    @property
    def modes(self) -> Tensor:
        """Indices (num_modes,) of the frequencies kept, ascending."""
        chosen: Tensor = self.get_buffer("chosen_f")
        return chosen.topk(self.num_modes).indices.sort().values

    def mix(self, x_bsd: Tensor) -> Tensor:
        value = full_precision(at_length(self.value(x_bsd), self.seq_len))
        mixed = at_length(self.mix_modes(value), x_bsd.shape[1])
        out: Tensor = self.out(mixed.to(x_bsd.dtype))
        return out

    def mix_modes(self, x_bsd: Tensor) -> Tensor:
        """Multiply each chosen mode of (batch, seq_len, d_model) by its matrix and drop the others."""
        spectrum_bfd = torch.fft.rfft(x_bsd, dim=1, norm="ortho")
        kept_bmhi = spectrum_bfd[:, self.modes].unflatten(2, (self.num_heads, -1))
        weight_mhio = torch.complex(*full_precision(self.weight_cmhio))
        mixed_bmho = torch.einsum("bmhi,mhio->bmho", kept_bmhi, weight_mhio)
        placed_bfd = torch.zeros_like(spectrum_bfd).index_copy(1, self.modes, mixed_bmho.flatten(2))
        out: Tensor = torch.fft.irfft(placed_bfd, n=self.seq_len, dim=1, norm="ortho")
        return out

    def split(self, x_bsd: Tensor, stage: int) -> tuple[Tensor, Tensor]:
        averages_kss = torch.stack([smoothing(x_bsd.shape[1], kernel, x_bsd) for kernel in _KERNELS])
        weight_bsk = self.experts[stage](x_bsd).softmax(-1)
        # first weigh the smoothing matrices row by row: one product then gives the weighted trend
        trend = torch.einsum("bsk,kst->bst", weight_bsk, averages_kss) @ x_bsd
        return x_bsd - trend, trend

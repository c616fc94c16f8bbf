from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.polynomial.legendre import legvander
from torch import Tensor, nn

from synthcity.nets.blocks.base import BuildContext, BuiltLengthBlock
from synthcity.nets.parameters import choice, integer, real
from synthcity.nets.registry import register_block

# basis of the first, second, ... sub-block; the last entry goes on
_BASES = {
    "generic": ("generic",),
    "trend": ("trend",),
    "seasonal": ("seasonal",),
    "interpretable": ("trend", "seasonal"),
}


@register_block("nbeats", needs_seq_len=True)
class NBeatsBlock(BuiltLengthBlock):
    """Explain each channel's series piece by piece: what one sub-block can express, the next need not.

    Every sub-block reads a channel's whole series through a small MLP, which gives the coefficients of a backcast and
    of a forecast on a basis. The backcast is subtracted from what the next sub-block reads, the forecasts add up to the
    output (Oreshkin et al., N-BEATS: Neural Basis Expansion Analysis for Interpretable Time Series Forecasting, ICLR
    2020, arXiv 1905.10437). Bases: learned vectors (generic), polynomials (trend), sines and cosines (seasonal), or
    trend in the first sub-block and seasons in the rest (interpretable). All channels share the MLPs, so it mixes time
    and never channels. Differs from the paper: the forecast covers the history's own steps as a latent, pre-norm and
    residual; polynomials are Legendre's, which span the same and condition better; the last sub-block has no backcast,
    as nothing would read it.

    Shapes: (batch, seq, d_model) -> the same; the branch of another length is averaged or interpolated to the built one
    and back. Cost grows with seq times hidden, for each channel.
    """

    @dataclass(frozen=True, kw_only=True)
    class Config:
        sub_blocks: int = integer(2, low=1, high=4, doc="sub-blocks, each reading what those before left unexplained")
        hidden: int = choice(32, (16, 32, 64, 128), doc="width of the two hidden layers over time")
        basis: str = choice(
            "generic",
            tuple(_BASES),
            doc="what backcast and forecast are made of; interpretable is a trend sub-block, then seasonal ones",
        )
        coefficients: int = integer(16, low=4, high=32, doc="learned vectors of the generic basis")
        degree: int = integer(3, low=1, high=5, doc="highest power of the trend basis")
        harmonics: int = integer(6, low=1, high=12, doc="sine-cosine pairs of the seasonal basis, from one period up")
        dropout: float = real(0.1, low=0.0, high=0.5, doc="dropout on the residual branch")

    def __init__(self, context: BuildContext, config: Config) -> None:
        super().__init__(context, config.dropout)
        last = config.sub_blocks - 1
        kinds = _BASES[config.basis]
        self.sub_blocks = nn.ModuleList(
            SubBlock(context.seq_len, kinds[min(index, len(kinds) - 1)], config, backcasts=index < last)
            for index in range(config.sub_blocks)
        )

    def mix_built(self, x_bsd: Tensor) -> Tensor:
        rest_bds = x_bsd.transpose(1, 2)
        forecasts = []
        for sub_block in self.sub_blocks:
            backcast_bds, forecast_bds = sub_block(rest_bds)
            forecasts.append(forecast_bds)
            if backcast_bds is not None:
                rest_bds = rest_bds - backcast_bds
        return torch.stack(forecasts).sum(0).transpose(1, 2)


class SubBlock(nn.Module):
    """Series (batch, d, seq) -> backcast (None without ``backcasts``) and forecast, both (batch, d, seq)."""

    def __init__(self, seq_len: int, kind: str, config: NBeatsBlock.Config, *, backcasts: bool) -> None:
        super().__init__()
        self.stack = nn.Sequential(
            nn.Linear(seq_len, config.hidden), nn.ReLU(), nn.Linear(config.hidden, config.hidden), nn.ReLU()
        )
        self.backcast = _Expansion(seq_len, kind, config) if backcasts else None
        self.forecast = _Expansion(seq_len, kind, config)

    def forward(self, x_bds: Tensor) -> tuple[Tensor | None, Tensor]:
        hidden_bdh = self.stack(x_bds)
        return None if self.backcast is None else self.backcast(hidden_bdh), self.forecast(hidden_bdh)


class _Expansion(nn.Module):
    """Coefficients from hidden features, times a basis (coefficients, seq): learned if generic, else fixed."""

    basis_cs: Tensor

    def __init__(self, seq_len: int, kind: str, config: NBeatsBlock.Config) -> None:
        super().__init__()
        if kind == "generic":
            basis = torch.randn(config.coefficients, seq_len)
            self.basis_cs = nn.Parameter(basis)
        else:
            basis = (
                trend_basis(config.degree, seq_len) if kind == "trend" else seasonal_basis(config.harmonics, seq_len)
            )
            self.register_buffer("basis_cs", basis)
        self.coefficients = nn.Linear(config.hidden, len(basis))

    def forward(self, hidden_bdh: Tensor) -> Tensor:
        # by the root of their number, so that the sum has the scale of one coefficient
        out: Tensor = self.coefficients(hidden_bdh) @ self.basis_cs / len(self.basis_cs) ** 0.5
        return out


def trend_basis(degree: int, seq_len: int) -> Tensor:
    """Legendre polynomials up to ``degree`` over the sequence, (degree + 1, seq_len)."""
    powers = min(degree, seq_len - 1)
    return torch.from_numpy(legvander(np.linspace(-1.0, 1.0, seq_len), powers).T.astype(np.float32))


def seasonal_basis(harmonics: int, seq_len: int) -> Tensor:
    """Cosines and sines with 1 .. ``harmonics`` periods in the sequence, short of Nyquist, (2 harmonics, seq_len)."""
    order = torch.arange(1, min(harmonics, (seq_len - 1) // 2) + 1)[:, None]
    angle = 2 * torch.pi * order * torch.arange(seq_len) / seq_len
    return torch.cat([angle.cos(), angle.sin()])

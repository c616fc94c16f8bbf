"""Splitting a sequence into a slow trend and the rest, and the frame of the blocks that treat the two apart."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn


class DecompositionBlock(nn.Module, ABC):
    """Residual mixing along the sequence, then a residual MLP, each followed by a split into season and trend.

    Only the seasonal part goes on inside. Both trends join the output as they are and through a learned projection.
    """

    def __init__(self, d_model: int, expansion: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(d_model)
        self.dropout = nn.Dropout(dropout)
        self.mlp = nn.Sequential(
            nn.LayerNorm(d_model),
            nn.Linear(d_model, expansion * d_model),
            nn.GELU(),
            nn.Linear(expansion * d_model, d_model),
            nn.Dropout(dropout),
        )
        self.trend = nn.Linear(d_model, d_model, bias=False)

    @abstractmethod
    def mix(self, x_bsd: Tensor) -> Tensor:
        """Transform the normalised input, (batch, seq, d_model) to the same."""

    @abstractmethod
    def split(self, x_bsd: Tensor, stage: int) -> tuple[Tensor, Tensor]:
        """Return (seasonal, trend), which add up to the input; ``stage`` is 0 after mixing and 1 after the MLP."""

    def forward(self, x_bsd: Tensor) -> Tensor:
        seasonal, first = self.split(x_bsd + self.dropout(self.mix(self.norm(x_bsd))), 0)
        seasonal, second = self.split(seasonal + self.mlp(seasonal), 1)
        trend = first + second
        out: Tensor = seasonal + trend + self.trend(trend)
        return out


def split_trend(x_bsd: Tensor, kernel: int) -> tuple[Tensor, Tensor]:
    """Return (seasonal, trend) of (batch, seq, d): they add up to ``x_bsd``, and the trend is its moving average."""
    trend = smoothing(x_bsd.shape[1], kernel, x_bsd) @ x_bsd
    return x_bsd - trend, trend


def smoothing(seq: int, kernel: int, like: Tensor) -> Tensor:
    """Return the matrix (seq, seq) of a centred moving average over ``kernel`` steps, an odd number.

    Beyond an edge the edge's own value is repeated, so a constant keeps its value and any length may be smoothed.
    """
    steps = torch.arange(seq, device=like.device)[:, None]
    reach = torch.arange(kernel, device=like.device) - kernel // 2
    share = like.new_full((seq, kernel), 1.0 / kernel)
    return like.new_zeros(seq, seq).scatter_add_(1, (steps + reach).clamp(0, seq - 1), share)

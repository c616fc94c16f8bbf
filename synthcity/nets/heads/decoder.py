"""From latent history and known-future covariates to raw parameters of every step."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from synthcity.nets.blocks.base import BuildContext


class Pool(nn.Module):
    """Summarise a latent sequence (batch, seq, d) by its last position and a learned attention: (batch, d)."""

    def __init__(self, d_model: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(d_model)
        self.query = nn.Linear(d_model, 1)
        self.join = nn.Linear(2 * d_model, d_model)

    def forward(self, latent_bsd: Tensor) -> Tensor:
        x = self.norm(latent_bsd)
        weight = torch.softmax(self.query(x), dim=1)
        out: Tensor = self.join(torch.cat([x[:, -1], (weight * x).sum(1)], dim=-1))
        return out


class StepDecoder(nn.Module):
    """Raw parameters (batch, horizon, num_outputs) from a summary (batch, d) and covariates (batch, horizon, f).

    Summary and covariates are added and multiplied: how much of today's volatility a step still feels is a product.
    The last layer starts at zero, so every law starts at its neutral parameters.
    """

    def __init__(self, context: BuildContext, num_outputs: int, hidden: int) -> None:
        super().__init__()
        self.from_summary = nn.Linear(context.d_model, hidden)
        self.from_future = nn.Linear(context.num_future, hidden, bias=False)
        self.scale = nn.Linear(context.d_model, hidden)
        self.scaled = nn.Linear(context.num_future, hidden)
        self.mix = nn.Linear(hidden, hidden)
        self.out = nn.Linear(hidden, num_outputs)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, summary_bd: Tensor, future_bhf: Tensor) -> Tensor:
        h = nn.functional.silu(self.from_summary(summary_bd)[:, None] + self.from_future(future_bhf))
        h = h + self.scale(summary_bd)[:, None] * self.scaled(future_bhf)
        h = h + nn.functional.silu(self.mix(h))
        out: Tensor = self.out(h)
        return out


def zero_linear(width: int, num_outputs: int) -> nn.Linear:
    """Return a linear layer that starts at zero."""
    layer = nn.Linear(width, num_outputs)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer

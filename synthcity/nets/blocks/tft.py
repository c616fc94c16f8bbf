from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.functional import elu, glu

from synthcity.nets.blocks.base import BuildContext, ResidualBlock
from synthcity.nets.parameters import choice, real
from synthcity.nets.registry import register_block

Linear = Callable[[int, int], nn.Module]


@register_block("tft")
class TFTBlock(ResidualBlock):
    """Variable selection, a gated LSTM, interpretable attention: each part can be gated away where it does not help.

    A softmax weighs groups of latent channels at each step, an LSTM reads the weighted sum and carries order, attention
    whose heads share one value projection looks over all steps, and gated residual networks (dense, ELU, dense, gated
    linear unit, add, norm) stand between, so that the net can skip what it does not need (Lim, Arik, Loeff & Pfister,
    Temporal Fusion Transformers for Interpretable Multi-horizon Time Series Forecasting, IJF 2021, arXiv 1912.09363).
    ``selection_weights`` and ``attention_weights`` tell what was used. Differs from the paper: it encodes the history
    only, so nothing is masked; variables are groups of latent channels; the mean over the history stands in for static
    covariates; the last gate feeds the block's own residual, so with gates closed the block is the identity.

    Shapes: (batch, seq, d_model) -> the same, any length. Cost grows with seq squared; the LSTM's steps run one after
    another; two to three times a Transformer block.
    """

    @dataclass(frozen=True, kw_only=True)
    class Config:
        groups: int = choice(4, (2, 4, 8), doc="channel groups among which to select")
        n_heads: int = choice(4, (1, 2, 4, 8), doc="attention heads, which share their values")
        dropout: float = real(0.1, low=0.0, high=0.5, doc="dropout before each gate and on the residual branch")

    def __init__(self, context: BuildContext, config: Config) -> None:
        super().__init__(context, config.dropout)
        d = context.d_model
        self.select = VariableSelection(d, math.gcd(config.groups, d), config.dropout)
        self.lstm = nn.LSTM(d, d, batch_first=True)
        self.lstm_gate = GatedAdd(d, config.dropout)
        self.enrich = GatedResidual(d, d, config.dropout, context_width=d)
        self.attention = SharedValueAttention(d, math.gcd(config.n_heads, d))
        self.attention_gate = GatedAdd(d, config.dropout)
        self.refine = GatedResidual(d, d, config.dropout)
        self.out_gate = GatedUnit(d, config.dropout)

    def mix(self, x_bsd: Tensor) -> Tensor:
        enriched = self._enriched(x_bsd)
        attended = self.attention_gate(self.attention(enriched), enriched)
        out: Tensor = self.out_gate(self.refine(attended))
        return out

    def selection_weights(self, x_bsd: Tensor) -> Tensor:
        """Return how much of each channel group is used at each step: (batch, seq, groups), summing to one."""
        x = self.norm(x_bsd)
        weights: Tensor = self.select.weights(x, _summary(x))
        return weights

    def attention_weights(self, x_bsd: Tensor) -> Tensor:
        """Return how much each step looks at each other, mean over heads: (batch, seq, seq), rows summing to one."""
        weights: Tensor = self.attention.weights(self._enriched(self.norm(x_bsd)))
        return weights

    def _enriched(self, x_bsd: Tensor) -> Tensor:
        summary = _summary(x_bsd)
        selected = self.select(x_bsd, summary)
        local = self.lstm_gate(self.lstm(selected)[0], selected)
        out: Tensor = self.enrich(local, summary)
        return out


def _summary(x_bsd: Tensor) -> Tensor:
    """The mean over the history, (batch, 1, d_model), in the place of static covariates."""
    return x_bsd.mean(1, keepdim=True)


class GatedUnit(nn.Module):
    """Gated linear unit: (..., width) -> the same; closed, it gives zero."""

    def __init__(self, width: int, dropout: float, linear: Linear = nn.Linear) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.linear = linear(width, 2 * width)  # the second half opens and closes

    def forward(self, x: Tensor) -> Tensor:
        return glu(self.linear(self.dropout(x)))


class GatedAdd(nn.Module):
    """``norm(skip + gate(x))``."""

    def __init__(self, width: int, dropout: float, linear: Linear = nn.Linear) -> None:
        super().__init__()
        self.gate = GatedUnit(width, dropout, linear)
        self.norm = nn.LayerNorm(width)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        out: Tensor = self.norm(skip + self.gate(x))
        return out


class GatedResidual(nn.Module):
    """Gated residual network, (..., width_in) -> (..., width_out); a context may speak to its hidden layer."""

    def __init__(
        self, width_in: int, width_out: int, dropout: float, *, context_width: int = 0, linear: Linear = nn.Linear
    ) -> None:
        super().__init__()
        self.enter = linear(width_in, width_in)
        self.context = nn.Linear(context_width, width_in, bias=False) if context_width else None
        self.leave = linear(width_in, width_out)
        self.skip = nn.Identity() if width_in == width_out else linear(width_in, width_out)
        self.add = GatedAdd(width_out, dropout, linear)

    def forward(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        hidden = self.enter(x)
        if self.context is not None:
            hidden = hidden + self.context(context)
        out: Tensor = self.add(self.leave(elu(hidden)), self.skip(x))
        return out


class _GroupedLinear(nn.Module):
    """A linear layer for each group, all in one product: (groups, rows, width_in) -> (groups, rows, width_out)."""

    def __init__(self, groups: int, width_in: int, width_out: int) -> None:
        super().__init__()
        bound = width_in**-0.5
        self.weight = nn.Parameter(torch.empty(groups, width_in, width_out).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(groups, 1, width_out).uniform_(-bound, bound))

    def forward(self, x_gri: Tensor) -> Tensor:
        return torch.baddbmm(self.bias, x_gri, self.weight)


class VariableSelection(nn.Module):
    """Sum of the channel groups of (batch, seq, d), each through its own network to width d, with softmax weights."""

    def __init__(self, d_model: int, groups: int, dropout: float) -> None:
        super().__init__()
        self.groups = groups
        self.score = GatedResidual(d_model, d_model, dropout, context_width=d_model)
        # the paper's network ends in a norm over the groups, which leaves only a sign where there are two
        self.to_groups = nn.Linear(d_model, groups)
        self.networks = GatedResidual(d_model // groups, d_model, dropout, linear=partial(_GroupedLinear, groups))

    def weights(self, x_bsd: Tensor, context_b1d: Tensor) -> Tensor:
        """Return the weights (batch, seq, groups)."""
        return torch.softmax(self.to_groups(self.score(x_bsd, context_b1d)), dim=-1)

    def forward(self, x_bsd: Tensor, context_b1d: Tensor) -> Tensor:
        weights_gbs = self.weights(x_bsd, context_b1d).permute(2, 0, 1)
        values = self.networks(x_bsd.flatten(0, 1).unflatten(1, (self.groups, -1)).transpose(0, 1))
        summed = (values * weights_gbs.flatten(1)[..., None]).sum(0)
        out: Tensor = summed.unflatten(0, x_bsd.shape[:2])
        return out


class SharedValueAttention(nn.Module):
    """Attention whose heads have their own queries and keys and one value projection, so their mean is one pattern."""

    def __init__(self, d_model: int, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.query = nn.Linear(d_model, d_model)
        self.key = nn.Linear(d_model, d_model, bias=False)  # softmax ignores a key's bias
        self.value = nn.Linear(d_model, d_model // num_heads)
        self.out = nn.Linear(d_model // num_heads, d_model)

    def weights(self, x_bsd: Tensor) -> Tensor:
        """Return the attention weights, mean over heads, (batch, seq, seq)."""
        width = x_bsd.shape[-1] // self.num_heads
        q_bshk, k_bshk = (project(x_bsd).unflatten(2, (self.num_heads, -1)) for project in (self.query, self.key))
        scores_bhst = q_bshk.transpose(1, 2) @ k_bshk.permute(0, 2, 3, 1) / width**0.5
        return torch.softmax(scores_bhst, dim=-1).mean(1)

    def forward(self, x_bsd: Tensor) -> Tensor:
        out: Tensor = self.out(self.weights(x_bsd) @ self.value(x_bsd))
        return out

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import elu, max_pool1d, scaled_dot_product_attention

from synthcity.nets.blocks.attention import check_heads, rotary_angles, rotate
from synthcity.nets.blocks.base import BuildContext
from synthcity.nets.parameters import boolean, choice, integer, real
from synthcity.nets.registry import register_block

_SEED = 0


@register_block("informer")
class InformerBlock(nn.Module):
    """Sparse attention that lets only the most selective steps ask, then a pass over a half-length digest.

    Most queries attend almost evenly and learn no more than the mean of the values. ProbSparse attention measures each
    query's selectivity, the maximum minus the mean of its scores on factor ln(seq) random keys, gives the factor
    ln(seq) most selective ones full attention and the others the mean of all values. Distilling (convolution, ELU, max
    pooling by two) then makes a half-length digest, which attends to itself in the same way (Zhou et al., Informer,
    AAAI 2021, arXiv 2012.07436).

    Differences from the paper: the digest is repeated to full length and added back, since a block keeps its length;
    all queries share one sample of keys, so that the measure is one matrix product; the last query always asks, since
    forecasts are read there; rotary positions and pre-norm residuals. Keys are drawn anew in training, and the same
    ones for every forecast.

    Shapes: (batch, seq, d_model) -> the same; any length. Cost grows with seq log(seq).
    """

    @dataclass(frozen=True, kw_only=True)
    class Config:
        n_heads: int = choice(4, (1, 2, 4, 8), doc="attention heads; must divide d_model into an even width")
        factor: int = integer(5, low=1, high=8, doc="full queries and sampled keys in units of ln(seq)")
        distil: bool = boolean(True, doc="add the half-length digest with its own attention")
        expansion: int = integer(2, low=1, high=4, doc="width of the MLP in units of d_model")
        dropout: float = real(0.1, low=0.0, high=0.5, doc="dropout on every residual branch")

    def __init__(self, context: BuildContext, config: Config) -> None:
        super().__init__()
        d = context.d_model
        check_heads(d, config.n_heads, even=True)
        self.attention = _Attention(d, config)
        self.distil = _Distil(d, config) if config.distil else None
        self.mlp = nn.Sequential(
            nn.LayerNorm(d),
            nn.Linear(d, config.expansion * d),
            nn.GELU(),
            nn.Linear(config.expansion * d, d),
            nn.Dropout(config.dropout),
        )

    def forward(self, x_bsd: Tensor) -> Tensor:
        x = x_bsd + self.attention(x_bsd)
        if self.distil is not None:
            x = x + self.distil(x)
        out: Tensor = x + self.mlp(x)
        return out


class _Attention(nn.Module):
    """Norm, ProbSparse attention and dropout: one residual branch."""

    def __init__(self, d_model: int, config: InformerBlock.Config) -> None:
        super().__init__()
        self.num_heads, self.factor = config.n_heads, config.factor
        self.norm = nn.LayerNorm(d_model)
        self.qkv = nn.Linear(d_model, 3 * d_model)
        self.out = nn.Linear(d_model, d_model)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x_bsd: Tensor) -> Tensor:
        seq, width = x_bsd.shape[1], x_bsd.shape[2] // self.num_heads
        qkv = self.qkv(self.norm(x_bsd)).unflatten(2, (3, self.num_heads, width)).permute(2, 0, 3, 1, 4)
        q_bhsk, k_bhsk, v_bhsk = qkv.unbind(0)
        cos, sin = rotary_angles(seq, width, q_bhsk)
        mixed = prob_sparse(rotate(q_bhsk, cos, sin), rotate(k_bhsk, cos, sin), v_bhsk, self.factor, self._keys(x_bsd))
        out: Tensor = self.dropout(self.out(mixed.transpose(1, 2).flatten(2)))
        return out

    def _keys(self, x_bsd: Tensor) -> Tensor:
        """Draw the sampled keys: indices (u,) without repeats."""
        seq = x_bsd.shape[1]
        generator = None if self.training else torch.Generator().manual_seed(_SEED)
        return torch.randperm(seq, generator=generator)[: num_active(self.factor, seq)].to(x_bsd.device)


class _Distil(nn.Module):
    """Halve the sequence, let the digest attend to itself, and repeat it to the full length."""

    def __init__(self, d_model: int, config: InformerBlock.Config) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(d_model)
        self.conv = nn.Conv1d(d_model, d_model, 3, padding=1, padding_mode="replicate")
        self.attention = _Attention(d_model, config)

    def forward(self, x_bsd: Tensor) -> Tensor:
        conv_bds = elu(self.conv(self.norm(x_bsd).transpose(1, 2)))
        half = max_pool1d(conv_bds, 3, stride=2, padding=1).transpose(1, 2)
        half = half + self.attention(half)
        out: Tensor = half.repeat_interleave(2, dim=1)[:, : x_bsd.shape[1]]
        return out


def num_active(factor: int, seq: int) -> int:
    """Return the number of queries that get full attention, which is also that of sampled keys."""
    return min(seq, math.ceil(factor * math.log(seq)))


def prob_sparse(q_bhsk: Tensor, k_bhsk: Tensor, v_bhsk: Tensor, factor: int, keys_u: Tensor) -> Tensor:
    """Full attention for the active queries, the mean of the values for the others."""
    active = active_queries(q_bhsk, k_bhsk[:, :, keys_u], factor)[..., None].expand(-1, -1, -1, q_bhsk.shape[3])
    answers = scaled_dot_product_attention(q_bhsk.gather(2, active), k_bhsk, v_bhsk)
    return v_bhsk.mean(2, keepdim=True).expand_as(v_bhsk).scatter(2, active, answers)


@torch.no_grad()
def active_queries(q_bhsk: Tensor, k_bhuk: Tensor, factor: int) -> Tensor:
    """Return the indices (batch, heads, u) of the last query and of those most selective among the sampled keys."""
    score_bhsu = q_bhsk @ k_bhuk.transpose(-1, -2)
    selective_bhs = score_bhsu.amax(-1) - score_bhsu.mean(-1)
    selective_bhs[..., -1] = math.inf
    return selective_bhs.topk(num_active(factor, q_bhsk.shape[2])).indices

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from synthcity.nets.blocks.attention import AttentionLayer
from synthcity.nets.blocks.base import BuildContext
from synthcity.nets.parameters import boolean, choice, integer, real
from synthcity.nets.registry import register_block


@register_block("patchtst")
class PatchTSTBlock(nn.Module):
    """A Transformer over patches: each token is a stretch of one channel group's history, groups stay apart.

    Each group of channels is cut into patches of neighbouring steps; one Transformer, shared by all groups, attends
    over the patches of each, so that a group never sees another, and the tokens are laid back over their steps, where
    overlapping patches are averaged (Nie et al., A Time Series is Worth 64 Words, ICLR 2023, arXiv 2211.14730). Follow
    or precede it with a block that mixes channels. Differs from the paper: groups of latent channels instead of single
    measured ones; rotary positions instead of learned ones, so that any length works; padding goes before the first
    step, so that a whole patch ends at the last; instance normalisation over each group's window is the pre-norm.

    Shapes: (batch, seq, d_model) -> the same, any length. Cost grows with groups times (patches squared).
    """

    @dataclass(frozen=True, kw_only=True)
    class Config:
        groups: int = choice(4, (1, 2, 4, 8), doc="channel groups that share the weights and never mix")
        patch: int = choice(8, (4, 8, 16), doc="steps in a patch")
        overlap: bool = boolean(True, doc="patches overlap by half instead of touching")
        token_width: int = choice(32, (16, 32, 64), doc="width of a token")
        n_heads: int = choice(4, (1, 2, 4, 8), doc="attention heads")
        layers: int = integer(1, low=1, high=2, doc="attention layers over the patches")
        expansion: int = integer(2, low=1, high=4, doc="width of the MLP in units of token_width")
        dropout: float = real(0.1, low=0.0, high=0.5, doc="dropout on all residual branches")

    def __init__(self, context: BuildContext, config: Config) -> None:
        super().__init__()
        self.groups = math.gcd(config.groups, context.d_model)
        self.patch, self.overlap = config.patch, config.overlap
        span, width = config.patch * context.d_model // self.groups, config.token_width
        self.norm = nn.GroupNorm(self.groups, context.d_model)  # per window and group: a layer norm would mix groups
        self.embed = nn.Linear(span, width)
        self.layers = nn.Sequential(
            *(
                AttentionLayer(width, config.n_heads, expansion=config.expansion, dropout=config.dropout)
                for _ in range(config.layers)
            )
        )
        self.back = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, span))
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x_bsd: Tensor) -> Tensor:
        batch, seq, _ = x_bsd.shape
        x_bds = self.norm(x_bsd.transpose(1, 2))
        grouped = x_bds.unflatten(1, (self.groups, -1)).flatten(0, 1)  # (batch x groups, d / groups, seq)
        mixed = merge(self.back(self.layers(self.embed(self._cut(grouped)))), self.patch, self.overlap)
        mixed_bds = mixed[..., -seq:].unflatten(0, (batch, self.groups)).flatten(1, 2)
        out: Tensor = x_bsd + self.dropout(mixed_bds.transpose(1, 2))
        return out

    def _cut(self, x_bds: Tensor) -> Tensor:
        """Cut (batch, d, seq) into patches (batch, patches, d * patch), the last of which ends at the last step."""
        seq, hop = x_bds.shape[-1], self.patch // 2 if self.overlap else self.patch
        steps = self.patch + max(math.ceil((seq - self.patch) / hop), 0) * hop
        padded = pad(x_bds, (steps - seq, 0), mode="replicate")
        return padded.unfold(-1, self.patch, hop).transpose(1, 2).flatten(2)


def merge(patches: Tensor, patch: int, overlap: bool) -> Tensor:
    """Lay patches (batch, patches, d * patch) over their steps, (batch, d, steps), averaging where they overlap."""
    pieces: Tensor = patches.unflatten(2, (-1, patch)).transpose(1, 2)  # (batch, d, patches, patch)
    if not overlap:
        return pieces.flatten(2)
    first, second = pieces.chunk(2, dim=-1)
    # of n patches, the inner n - 1 halves are told twice, the outermost two once
    between = (first[:, :, 1:] + second[:, :, :-1]) / 2
    return torch.cat([first[:, :, :1], between, second[:, :, -1:]], dim=2).flatten(2)

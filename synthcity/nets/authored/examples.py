"""A block and a head as a language model may write them: shown to it, and admitted by the tests."""

BLOCK = '''"""A gate over a short causal average."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from synthcity.nets.blocks.base import BuildContext, ResidualBlock
from synthcity.nets.parameters import choice, real
from synthcity.nets.registry import register_block


@register_block("gated_average", causal=True)
class GatedAverageBlock(ResidualBlock):
    """Mix each step with a learned causal average of the last few, through a sigmoid gate.

    Shapes: (batch, seq, d_model) -> the same. Cost grows with seq.
    """

    @dataclass(frozen=True, kw_only=True)
    class Config:
        kernel: int = choice(5, (3, 5, 9), doc="steps of the average")
        dropout: float = real(0.1, low=0.0, high=0.5, doc="dropout on the residual branch")

    def __init__(self, context: BuildContext, config: Config) -> None:
        super().__init__(context, config.dropout)
        d = context.d_model
        self.kernel = config.kernel
        self.depthwise = nn.Conv1d(d, d, config.kernel, groups=d)
        self.gate = nn.Linear(d, 2 * d)

    def mix(self, x_bsd: Tensor) -> Tensor:
        padded = F.pad(x_bsd.transpose(1, 2), (self.kernel - 1, 0))
        smooth = self.depthwise(padded).transpose(1, 2)
        value, gate = self.gate(smooth).chunk(2, dim=-1)
        return value * torch.sigmoid(gate)


def stated_property(block, noise):
    """No output hears of more than the last nine steps."""
    moved = noise.clone()
    moved[:, 20] = -moved[:, 20]
    changed = (block(noise) - block(moved)).abs().amax(dim=(0, 2)) > 1e-7
    return bool(changed[20]) and not bool(changed[:20].any()) and not bool(changed[29:].any())
'''

HEAD = '''from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from synthcity.nets.blocks.base import BuildContext
from synthcity.nets.heads.decoder import Pool, StepDecoder
from synthcity.nets.heads.gbm import GBMLaw
from synthcity.nets.heads.law import Law, bounded_log_volatility
from synthcity.nets.parameters import integer
from synthcity.nets.registry import register_head


@register_head("plain_normal")
class PlainNormalHead(nn.Module):
    """Independent normal steps with a volatility for each; the simplest law that there is."""

    @dataclass(frozen=True, kw_only=True)
    class Config:
        hidden: int = integer(16, low=8, high=64, doc="width of the decoder")

    def __init__(self, context: BuildContext, config: Config) -> None:
        super().__init__()
        self.summary = Pool(context.d_model)
        self.decoder = StepDecoder(context, 1, config.hidden)

    def forward(self, latent_bsd: Tensor, future_bhf: Tensor) -> Law:
        raw = self.decoder(self.summary(latent_bsd), future_bhf).float()
        return GBMLaw(log_volatility_bh=bounded_log_volatility(raw[..., 0]), dof_bh=None, spread_b=None)


def stated_property(law, noise):
    """The ratio of any two quantiles of a step is that of the normal: tails are thin."""
    q = law.quantiles(torch.tensor([0.75, 0.999]))
    ratio = q[..., 1] / q[..., 0]
    return bool(((ratio - 4.5816).abs() < 0.02).all())
'''

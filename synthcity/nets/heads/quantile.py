from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from synthcity.nets.blocks.base import BuildContext
from synthcity.nets.heads import law as laws
from synthcity.nets.heads.decoder import Pool, StepDecoder, zero_linear
from synthcity.nets.heads.law import Law, Noise
from synthcity.nets.heads.piecewise import NUM_RAW, QuantileFunction
from synthcity.nets.heads.ranks import RankDependence, SizeRanks
from synthcity.nets.parameters import integer
from synthcity.nets.registry import register_head


@register_head("quantile")
class QuantileHead(nn.Module):
    """No family at all: the quantiles of a standardised step are decoded themselves and cannot cross.

    Median and positive gaps at 23 levels, straight lines between them and Pareto tails beyond (Koenker & Bassett 1978;
    Wen et al. 2017, arXiv 1711.11053; Gasthaus et al. 2019) make the shape, chosen from the history and shared by the
    steps; each step has its own decoded volatility. Steps of a path are tied by the ranks of their sizes: a level of
    the whole path and an AR(1) let volatility cluster, as the template of a Schaake shuffle would (Clark et al. 2004),
    and no marginal depends on it.

    Exact likelihood, quantiles and CRPS of every step.
    """

    @dataclass(frozen=True, kw_only=True)
    class Config:
        hidden: int = integer(32, low=8, high=128, log=True, doc="width of the per-step decoder")

    def __init__(self, context: BuildContext, config: Config) -> None:
        super().__init__()
        self.pool = Pool(context.d_model)
        self.decoder = StepDecoder(context, 1, config.hidden)
        self.shape = zero_linear(context.d_model, NUM_RAW)
        self.ranks = RankDependence(context.d_model)

    def forward(self, latent_bsd: Tensor, future_bhf: Tensor) -> Law:
        summary = self.pool(latent_bsd)
        raw = self.decoder(summary, future_bhf).float()
        return QuantileLaw(
            log_volatility_bh=laws.bounded_log_volatility(raw[..., 0]),
            function=QuantileFunction(self.shape(summary).float()),
            ranks=self.ranks(summary, raw.shape[1]),
        )


class QuantileLaw(Law):
    """``exp(log_volatility) * Q(u)``, u uniform at every step; how far u lies from 1/2 has the ranks of ``ranks``."""

    def __init__(self, log_volatility_bh: Tensor, function: QuantileFunction, ranks: SizeRanks) -> None:
        self.log_volatility_bh = log_volatility_bh
        self.function = function
        self.ranks = ranks

    def draw_noise(
        self, num_paths: int, generator: torch.Generator | None = None, factor_bb: Tensor | None = None
    ) -> Noise:
        batch, horizon = self.log_volatility_bh.shape
        like, shape = self.log_volatility_bh, (batch, num_paths, horizon)
        noise = dict(self.ranks.draw_noise(num_paths, generator, factor_bb))
        if factor_bb is None:
            side = laws.uniform(shape, like, generator)
            return noise | {"own": laws.normal(shape, like, generator), "upper": side > 0.5}
        # windows are tied through side and size of one normal
        z = laws.normal(shape, like, generator, factor_bb)
        own = torch.special.ndtri(torch.erf(z.abs() / math.sqrt(2)).clamp(1e-7, 1 - 1e-7))
        return noise | {"own": own, "upper": z > 0}

    def sample(self, num_paths: int, noise: Noise | None = None, generator: torch.Generator | None = None) -> Tensor:
        noise = self.draw_noise(num_paths, generator) if noise is None else noise
        # |2 u - 1| = Phi(score): the probability beyond u is half of what lies beyond the score
        tail = laws.upper_tail(self.ranks.scores(noise)) / 2
        return self.function(tail, noise["upper"]) * self.log_volatility_bh[:, None].exp()

    def quantiles(self, levels_q: Tensor) -> Tensor:
        return self.function.at(levels_q)[:, None] * self.log_volatility_bh[..., None].exp()

    def step_crps(self, returns_bh: Tensor) -> Tensor:
        """Return the CRPS of every step's marginal law (batch, horizon), without noise."""
        volatility_bh = self.log_volatility_bh.exp()
        return volatility_bh * self.function.crps(returns_bh / volatility_bh)

    def params(self) -> dict[str, Tensor]:
        return {
            "log_volatility": self.log_volatility_bh,
            "knot": self.function.knot_bk,
            "tail_scale": self.function.scale_b2,
            "tail_index": self.function.index_b2,
            "share": self.ranks.share_b3,
            "decay": self.ranks.decay,
        }

    def log_prob(self, returns_bh: Tensor) -> Tensor:
        tail, _, log_density = self.function.inverse(returns_bh * torch.exp(-self.log_volatility_bh))
        score = -torch.special.ndtri((2 * tail).clamp(1e-9, 1 - 1e-7))
        return (log_density - self.log_volatility_bh).sum(-1) + self.ranks.log_density(score)

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from synthcity.nets.blocks.base import BuildContext
from synthcity.nets.heads import law as laws
from synthcity.nets.heads.decoder import Pool, StepDecoder, zero_linear
from synthcity.nets.heads.gbm import GBMLaw, level_spread
from synthcity.nets.heads.law import Law, Noise
from synthcity.nets.heads.spline import RationalQuadraticSpline
from synthcity.nets.parameters import integer
from synthcity.nets.registry import register_head


@register_head("flow")
class FlowHead(nn.Module):
    """A normalising flow of standardised steps: any skewed, peaked or shouldered marginal, with exact likelihood.

    Student-t steps under a log-normal level of the path, as in the GBM head, go through a monotone rational-quadratic
    spline with linear tails (Durkan et al., *Neural Spline Flows*, 2019, arXiv 1906.04032; conditional as in Rasul et
    al. 2021, arXiv 2002.06103) and are scaled by the volatility decoded for every future step. The spline is chosen
    from the history and shared by the steps; it starts as the identity, so the head starts as GBM. The path's level
    lets volatility cluster.

    Exact likelihood by change of variables (Dinh et al. 2017, arXiv 1605.08803), exact quantiles: those of the noise,
    mapped.
    """

    @dataclass(frozen=True, kw_only=True)
    class Config:
        num_bins: int = integer(8, low=4, high=12, doc="bins of the spline")
        hidden: int = integer(32, low=8, high=128, log=True, doc="width of the per-step decoder")

    def __init__(self, context: BuildContext, config: Config) -> None:
        super().__init__()
        self.pool = Pool(context.d_model)
        self.decoder = StepDecoder(context, 2, config.hidden)
        self.spread = zero_linear(context.d_model, 1)
        self.spline = zero_linear(context.d_model, 3 * config.num_bins - 1)

    def forward(self, latent_bsd: Tensor, future_bhf: Tensor) -> Law:
        summary = self.pool(latent_bsd)
        raw = self.decoder(summary, future_bhf).float()
        return FlowLaw(
            log_volatility_bh=laws.bounded_log_volatility(raw[..., 0]),
            dof_bh=laws.bounded_dof(raw[..., 1]),
            spread_b=level_spread(self.spread(summary)[:, 0].float()),
            spline=RationalQuadraticSpline(self.spline(summary).float()),
        )


class FlowLaw(Law):
    """``exp(log_volatility) * spline(noise)``, the noise being a GBM law of unit volatility."""

    def __init__(
        self, log_volatility_bh: Tensor, dof_bh: Tensor, spread_b: Tensor, spline: RationalQuadraticSpline
    ) -> None:
        self.log_volatility_bh = log_volatility_bh
        self.base = GBMLaw(torch.zeros_like(log_volatility_bh), dof_bh, spread_b)
        self.spline = spline

    def draw_noise(
        self, num_paths: int, generator: torch.Generator | None = None, factor_bb: Tensor | None = None
    ) -> Noise:
        return self.base.draw_noise(num_paths, generator, factor_bb)

    def sample(self, num_paths: int, noise: Noise | None = None, generator: torch.Generator | None = None) -> Tensor:
        return self.spline(self.base.sample(num_paths, noise, generator)) * self.log_volatility_bh[:, None].exp()

    def invert(self, returns_bh: Tensor) -> tuple[Tensor, Tensor]:
        """Return the noise (batch, ..., horizon) behind log returns, and the log derivative of noise by return."""
        log_volatility = self.log_volatility_bh.view(len(returns_bh), *[1] * (returns_bh.dim() - 2), -1)
        noise, log_slope = self.spline.inverse(returns_bh * torch.exp(-log_volatility))
        return noise, log_slope - log_volatility

    def quantiles(self, levels_q: Tensor) -> Tensor:
        return self.spline(self.base.quantiles(levels_q)) * self.log_volatility_bh[..., None].exp()

    def params(self) -> dict[str, Tensor]:
        named = {"knot_x": self.spline.x_bk, "knot_y": self.spline.y_bk, "slope": self.spline.slope_bk}
        return self.base.params() | named | {"log_volatility": self.log_volatility_bh}

    def log_prob(self, returns_bh: Tensor) -> Tensor:
        noise_bh, log_slope_bh = self.invert(returns_bh)
        return self.base.log_prob(noise_bh) + log_slope_bh.sum(-1)

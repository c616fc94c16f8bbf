from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from synthcity.nets.blocks.base import BuildContext
from synthcity.nets.heads import law as laws
from synthcity.nets.heads.decoder import Pool, StepDecoder
from synthcity.nets.heads.law import Law, Noise
from synthcity.nets.heads.marginal import scale_mixture_quantiles
from synthcity.nets.heads.ranks import RankDependence, SizeRanks
from synthcity.nets.parameters import integer
from synthcity.nets.registry import register_head


@register_head("copula")
class CopulaHead(nn.Module):
    """Marginals and dependence apart (Sklar 1959): Student-t steps whose sizes are tied by a Gaussian copula.

    Every step has its decoded volatility and degrees of freedom. A Student-t is the first coordinate of a vector in
    the plane with uniform angle and a radius of known law (Bailey 1994); the copula ties the radii of a path's steps
    by a level of the whole path and an AR(1), and leaves the angles independent. So volatility clusters, which a
    Gaussian copula of the returns would not do (compare Salinas et al., NeurIPS 2019, arXiv 1910.03002), and the law
    of a single step does not depend on the copula. Of the two shares and their rest one speaks for the day, one for
    the next hours, one for the step itself.

    Exact quantiles; no closed likelihood.
    """

    @dataclass(frozen=True, kw_only=True)
    class Config:
        hidden: int = integer(32, low=8, high=128, log=True, doc="width of the per-step decoder")

    def __init__(self, context: BuildContext, config: Config) -> None:
        super().__init__()
        self.pool = Pool(context.d_model)
        self.decoder = StepDecoder(context, 2, config.hidden)
        self.ranks = RankDependence(context.d_model)

    def forward(self, latent_bsd: Tensor, future_bhf: Tensor) -> Law:
        summary = self.pool(latent_bsd)
        raw = self.decoder(summary, future_bhf).float()
        return CopulaLaw(
            log_volatility_bh=laws.bounded_log_volatility(raw[..., 0]),
            dof_bh=laws.bounded_dof(raw[..., 1]),
            ranks=self.ranks(summary, raw.shape[1]),
        )


class CopulaLaw(Law):
    """Student-t steps of unit variance times ``exp(log_volatility)``; the ranks of their radii are ``ranks``."""

    def __init__(self, log_volatility_bh: Tensor, dof_bh: Tensor, ranks: SizeRanks) -> None:
        self.log_volatility_bh = log_volatility_bh
        self.dof_bh = dof_bh
        self.ranks = ranks

    def draw_noise(
        self, num_paths: int, generator: torch.Generator | None = None, factor_bb: Tensor | None = None
    ) -> Noise:
        batch, horizon = self.log_volatility_bh.shape
        like, shape = self.log_volatility_bh, (batch, num_paths, horizon)
        noise = dict(self.ranks.draw_noise(num_paths, generator, factor_bb))
        if factor_bb is None:
            angle = 2 * torch.pi * laws.uniform(shape, like, generator)
            return noise | {"own": laws.normal(shape, like, generator), "cosine": torch.cos(angle)}
        # windows are tied through radius and angle of one pair of normals
        polar = laws.student_noise(shape, like, generator, factor_bb)
        own = torch.special.ndtri(-torch.expm1(-polar["exponential"].clamp(1e-7, 16.0)))
        return noise | {"own": own, "cosine": polar["cosine"]}

    def sample(self, num_paths: int, noise: Noise | None = None, generator: torch.Generator | None = None) -> Tensor:
        noise = self.draw_noise(num_paths, generator) if noise is None else noise
        beyond = laws.upper_tail(self.ranks.scores(noise)).clamp(max=1 - 1e-7)
        z = laws.student(-beyond.log(), noise["cosine"], self.dof_bh[:, None])
        return z * self.log_volatility_bh[:, None].exp()

    def quantiles(self, levels_q: Tensor) -> Tensor:
        return scale_mixture_quantiles(levels_q, self.log_volatility_bh, self.dof_bh)

    def params(self) -> dict[str, Tensor]:
        return {
            "log_volatility": self.log_volatility_bh,
            "dof": self.dof_bh,
            "share": self.ranks.share_b3,
            "decay": self.ranks.decay,
        }

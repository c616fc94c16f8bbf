from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from synthcity.nets.blocks.base import BuildContext
from synthcity.nets.heads import law as laws
from synthcity.nets.heads.decoder import Pool, StepDecoder, zero_linear
from synthcity.nets.heads.law import Law, Noise
from synthcity.nets.heads.marginal import scale_mixture_quantiles
from synthcity.nets.parameters import boolean, choice, integer
from synthcity.nets.registry import register_head

_QUADRATURE = 15


@register_head("gbm")
class GBMHead(nn.Module):
    """Geometric Brownian motion with a volatility for every future step.

    Log returns are independent given the path's level: ``anchor * exp(a_t) * level * z_t`` with z normal or Student-t
    of unit variance (Samuelson 1965; Black & Scholes 1973; degrees of freedom of each step bounded to 2.5..50). ``a_t``
    is decoded from the history and the known future of step t. ``level`` is a log-normal multiplier drawn once a
    path, its spread learned: how unsure the forecast is of the day's volatility. Drift is zero.

    Exact likelihood (the level integrated by Gauss-Hermite quadrature).
    """

    @dataclass(frozen=True, kw_only=True)
    class Config:
        innovation: str = choice("student", ("normal", "student"), doc="marginal law of a step")
        level: bool = boolean(True, doc="draw one volatility multiplier a path")
        hidden: int = integer(32, low=8, high=128, log=True, doc="width of the per-step decoder")

    def __init__(self, context: BuildContext, config: Config) -> None:
        super().__init__()
        self.config = config
        self.pool = Pool(context.d_model)
        self.decoder = StepDecoder(context, 2 if config.innovation == "student" else 1, config.hidden)
        self.spread = zero_linear(context.d_model, 1) if config.level else None

    def forward(self, latent_bsd: Tensor, future_bhf: Tensor) -> Law:
        summary = self.pool(latent_bsd)
        raw = self.decoder(summary, future_bhf).float()
        return GBMLaw(
            log_volatility_bh=laws.bounded_log_volatility(raw[..., 0]),
            dof_bh=laws.bounded_dof(raw[..., 1]) if raw.shape[-1] == 2 else None,
            spread_b=None if self.spread is None else level_spread(self.spread(summary)[:, 0].float()),
        )


def level_spread(raw: Tensor) -> Tensor:
    """Standard deviation of a path's log level: in (0, 1), 0.2 at zero."""
    return torch.sigmoid(raw - 1.4)


class GBMLaw(Law):
    """Independent steps given a path's level; ``dof_bh`` None means normal, ``spread_b`` None means no level."""

    def __init__(self, log_volatility_bh: Tensor, dof_bh: Tensor | None, spread_b: Tensor | None) -> None:
        self.log_volatility_bh = log_volatility_bh
        self.dof_bh = dof_bh
        self.spread_b = spread_b

    def draw_noise(
        self, num_paths: int, generator: torch.Generator | None = None, factor_bb: Tensor | None = None
    ) -> Noise:
        batch, horizon = self.log_volatility_bh.shape
        like, shape = self.log_volatility_bh, (batch, num_paths, horizon)
        noise = {"level": laws.normal((batch, num_paths), like, generator, factor_bb)}
        if self.dof_bh is None:
            return noise | {"normal": laws.normal(shape, like, generator, factor_bb)}
        return noise | laws.student_noise(shape, like, generator, factor_bb)

    def sample(self, num_paths: int, noise: Noise | None = None, generator: torch.Generator | None = None) -> Tensor:
        noise = self.draw_noise(num_paths, generator) if noise is None else noise
        if self.dof_bh is None:
            z = noise["normal"]
        else:
            z = laws.student(noise["exponential"], noise["cosine"], self.dof_bh[:, None])
        log_scale = self.log_volatility_bh[:, None]
        if self.spread_b is not None:
            log_scale = log_scale + (self.spread_b[:, None] * noise["level"])[..., None]
        return z * log_scale.exp()

    def params(self) -> dict[str, Tensor]:
        named = {"log_volatility": self.log_volatility_bh, "dof": self.dof_bh, "level_spread": self.spread_b}
        return {name: value for name, value in named.items() if value is not None}

    def quantiles(self, levels_q: Tensor) -> Tensor:
        spread = None if self.spread_b is None else self.spread_b[:, None]
        return scale_mixture_quantiles(levels_q, self.log_volatility_bh, self.dof_bh, spread_bh=spread)

    def log_prob(self, returns_bh: Tensor) -> Tensor:
        if self.spread_b is None:
            return self._log_density(returns_bh, self.log_volatility_bh).sum(-1)
        nodes, weights = np.polynomial.hermite_e.hermegauss(_QUADRATURE)
        log_weight = torch.as_tensor(np.log(weights / math.sqrt(2 * math.pi)), dtype=returns_bh.dtype)
        per_node = [
            self._log_density(returns_bh, self.log_volatility_bh + (self.spread_b * float(x))[:, None]).sum(-1)
            for x in nodes
        ]
        return torch.logsumexp(torch.stack(per_node) + log_weight.to(returns_bh.device)[:, None], dim=0)

    def _log_density(self, returns_bh: Tensor, log_volatility_bh: Tensor) -> Tensor:
        z = returns_bh / log_volatility_bh.exp()
        if self.dof_bh is None:
            return laws.normal_log_density(z) - log_volatility_bh
        return laws.student_log_density(z, self.dof_bh) - log_volatility_bh

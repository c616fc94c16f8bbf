from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from synthcity.nets.blocks.base import BuildContext
from synthcity.nets.heads import law as laws
from synthcity.nets.heads.decoder import Pool, StepDecoder, zero_linear
from synthcity.nets.heads.law import Law, Noise
from synthcity.nets.heads.marginal import scale_mixture_quantiles
from synthcity.nets.parameters import choice, integer
from synthcity.nets.registry import register_head


@register_head("sde")
class SDEHead(nn.Module):
    """Stochastic volatility: log variance follows its own mean-reverting diffusion on every path.

    ``dv = kappa (theta_t - v) dt + xi dW2``, ``dx = exp(v) dW1`` with correlation rho (leverage) and dt of one step, v
    being log volatility (Heston 1993 in log form; Kloeden & Platen 1992). theta_t is decoded for every future step; xi,
    rho and the start come from the history, kappa is one learned speed. The linear equation is solved exactly at the
    steps, so there is no discretisation error in v. With xi and the start's spread at 0 it is the GBM head. Leverage
    lets the normal behind a step's return drive the volatility from the next step on, so it changes no marginal: a step
    is a Student-t with a log-normal factor. No closed likelihood.
    """

    @dataclass(frozen=True, kw_only=True)
    class Config:
        innovation: str = choice("student", ("normal", "student"), doc="law of a step given its volatility")
        hidden: int = integer(32, low=8, high=128, log=True, doc="width of the per-step decoder")

    def __init__(self, context: BuildContext, config: Config) -> None:
        super().__init__()
        self.pool = Pool(context.d_model)
        self.decoder = StepDecoder(context, 2 if config.innovation == "student" else 1, config.hidden)
        self.dynamics = zero_linear(context.d_model, 3)
        self.decay = nn.Parameter(torch.zeros(()))

    def forward(self, latent_bsd: Tensor, future_bhf: Tensor) -> Law:
        summary = self.pool(latent_bsd)
        raw = self.decoder(summary, future_bhf).float()
        vol_of_vol, start, leverage = self.dynamics(summary).float().unbind(-1)
        return SDELaw(
            log_volatility_bh=laws.bounded_log_volatility(raw[..., 0]),
            dof_bh=laws.bounded_dof(raw[..., 1]) if raw.shape[-1] == 2 else None,
            # mean reversion per step: exp(-3.5) = a half-life of 23 steps at zero
            decay=torch.exp(-3.5 + 2.0 * torch.tanh(self.decay / 2.0)),
            vol_of_vol_b=0.6 * torch.sigmoid(vol_of_vol - 1.8),
            start_spread_b=torch.sigmoid(start - 2.2),
            leverage_b=0.9 * torch.tanh(leverage),
        )


class SDELaw(Law):
    """Log-volatility deviations are an exact AR(1) with stationary spread ``vol_of_vol_b`` around the decoded level."""

    def __init__(
        self,
        log_volatility_bh: Tensor,
        dof_bh: Tensor | None,
        decay: Tensor,
        vol_of_vol_b: Tensor,
        start_spread_b: Tensor,
        leverage_b: Tensor,
    ) -> None:
        self.log_volatility_bh = log_volatility_bh
        self.dof_bh = dof_bh
        self.decay = decay
        self.vol_of_vol_b = vol_of_vol_b
        self.start_spread_b = start_spread_b
        self.leverage_b = leverage_b

    def draw_noise(
        self, num_paths: int, generator: torch.Generator | None = None, factor_bb: Tensor | None = None
    ) -> Noise:
        batch, horizon = self.log_volatility_bh.shape
        like, shape = self.log_volatility_bh, (batch, num_paths, horizon)
        noise = {
            "start": laws.normal((batch, num_paths), like, generator, factor_bb),
            "volatility": laws.normal(shape, like, generator, factor_bb),
        }
        if self.dof_bh is None:
            return noise | {"normal": laws.normal(shape, like, generator, factor_bb)}
        return noise | laws.student_noise(shape, like, generator, factor_bb)

    def sample(self, num_paths: int, noise: Noise | None = None, generator: torch.Generator | None = None) -> Tensor:
        noise = self.draw_noise(num_paths, generator) if noise is None else noise
        log_volatility = self.log_volatility_bh[:, None] + self._deviation(noise)
        if self.dof_bh is None:
            z = noise["normal"]
        else:
            z = laws.student(noise["exponential"], noise["cosine"], self.dof_bh[:, None])
        return z * log_volatility.exp()

    def _shocks(self, noise: Noise) -> Tensor:
        """Standard normal shocks of log volatility; from the second step on they share rho with the last return."""
        own = noise["volatility"]
        # Bailey's radius and angle are those of a normal pair, so this is the normal behind the Student-t
        past = noise["normal"] if self.dof_bh is None else torch.sqrt(2 * noise["exponential"]) * noise["cosine"]
        rho = self.leverage_b[:, None, None]
        later = torch.sqrt(1 - rho * rho) * own[..., 1:] + rho * past[..., :-1]
        return torch.cat([own[..., :1], later], dim=-1)

    def _deviation(self, noise: Noise) -> Tensor:
        """Solve d_t = phi d_(t-1) + s e_t for all steps at once by a triangular Toeplitz product: (batch, paths, h)."""
        horizon = self.log_volatility_bh.shape[1]
        step = torch.arange(horizon, device=self.decay.device)
        lag = (step[:, None] - step[None, :]).clamp(min=0)
        phi = torch.exp(-self.decay * lag) * (step[:, None] >= step[None, :])
        innovation_scale = self.vol_of_vol_b * torch.sqrt(-torch.expm1(-2 * self.decay))
        driven = self._shocks(noise) @ phi.T * innovation_scale[:, None, None]
        memory = torch.exp(-self.decay * (step + 1))
        return driven + (self.start_spread_b[:, None] * noise["start"])[..., None] * memory

    def quantiles(self, levels_q: Tensor) -> Tensor:
        step = torch.arange(1, self.log_volatility_bh.shape[1] + 1, device=self.decay.device)
        memory = torch.exp(-2 * self.decay * step)
        driven_b, start_b = self.vol_of_vol_b.square(), self.start_spread_b.square()
        variance_bh = driven_b[:, None] * (1 - memory) + start_b[:, None] * memory
        return scale_mixture_quantiles(levels_q, self.log_volatility_bh, self.dof_bh, spread_bh=variance_bh.sqrt())

    def params(self) -> dict[str, Tensor]:
        named = {
            "log_volatility": self.log_volatility_bh,
            "dof": self.dof_bh,
            "decay": self.decay,
            "vol_of_vol": self.vol_of_vol_b,
            "start_spread": self.start_spread_b,
            "leverage": self.leverage_b,
        }
        return {name: value for name, value in named.items() if value is not None}

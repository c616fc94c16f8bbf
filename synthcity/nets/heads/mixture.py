from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from synthcity.nets.blocks.base import BuildContext
from synthcity.nets.heads import law as laws
from synthcity.nets.heads.decoder import Pool, StepDecoder, zero_linear
from synthcity.nets.heads.law import Law, Noise
from synthcity.nets.heads.marginal import scale_mixture_quantiles
from synthcity.nets.parameters import integer
from synthcity.nets.registry import register_head


@register_head("mixture")
class MixtureHead(nn.Module):
    """K volatility regimes, one drawn for each path: calm, usual, stormy days.

    A mixture density (Bishop 1994) over whole paths: regime k has weight w_k and multiplies the decoded volatility by
    exp(o_k), the offsets o_k ordered by positive gaps so that regimes keep their names. Steps are Student-t. Weights
    get their gradient from strata: each regime gets the same number of training paths, weighted by w_k in the score.

    Exact likelihood by log-sum-exp over the regimes.
    """

    @dataclass(frozen=True, kw_only=True)
    class Config:
        num_regimes: int = integer(3, low=2, high=4, doc="regimes K")
        hidden: int = integer(32, low=8, high=128, log=True, doc="width of the per-step decoder")

    def __init__(self, context: BuildContext, config: Config) -> None:
        super().__init__()
        self.num_regimes = config.num_regimes
        self.pool = Pool(context.d_model)
        self.decoder = StepDecoder(context, 2, config.hidden)
        self.regimes = zero_linear(context.d_model, 2 * config.num_regimes - 1)

    def forward(self, latent_bsd: Tensor, future_bhf: Tensor) -> Law:
        summary = self.pool(latent_bsd)
        raw = self.decoder(summary, future_bhf).float()
        logits, gaps = self.regimes(summary).float().split([self.num_regimes, self.num_regimes - 1], dim=-1)
        gaps = 2.0 * torch.sigmoid(gaps - 1.95)  # 0.25 at zero
        offsets = torch.nn.functional.pad(gaps.cumsum(-1), (1, 0))
        return MixtureLaw(
            log_volatility_bh=laws.bounded_log_volatility(raw[..., 0]),
            dof_bh=laws.bounded_dof(raw[..., 1]),
            # the floor keeps every regime alive, so that none loses its gradient
            weight_bk=0.94 * torch.softmax(logits, -1) + 0.06 / self.num_regimes,
            offset_bk=offsets - offsets.mean(-1, keepdim=True),
        )


class MixtureLaw(Law):
    """Paths of regime k have volatility ``exp(log_volatility + offset_k)`` and probability ``weight_k``."""

    def __init__(self, log_volatility_bh: Tensor, dof_bh: Tensor, weight_bk: Tensor, offset_bk: Tensor) -> None:
        self.log_volatility_bh = log_volatility_bh
        self.dof_bh = dof_bh
        self.weight_bk = weight_bk
        self.offset_bk = offset_bk

    def draw_noise(
        self, num_paths: int, generator: torch.Generator | None = None, factor_bb: Tensor | None = None
    ) -> Noise:
        batch, horizon = self.log_volatility_bh.shape
        like = self.log_volatility_bh
        regime = laws.uniform((batch, num_paths), like, generator, factor_bb)
        return {"regime": regime} | laws.student_noise((batch, num_paths, horizon), like, generator, factor_bb)

    def sample(self, num_paths: int, noise: Noise | None = None, generator: torch.Generator | None = None) -> Tensor:
        noise = self.draw_noise(num_paths, generator) if noise is None else noise
        edges = self.weight_bk.cumsum(-1)[:, None, :-1]
        regime = (noise["regime"][..., None] > edges).sum(-1)
        return self._paths(noise, self.offset_bk.gather(1, regime))

    def sample_strata(
        self, num_paths: int, noise: Noise | None = None, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor | None]:
        noise = self.draw_noise(num_paths, generator) if noise is None else noise
        strata = self.weight_bk.shape[1]
        if num_paths % strata:
            raise ValueError(f"num_paths {num_paths} is no multiple of the {strata} regimes")
        return self._paths(noise, self.offset_bk.repeat_interleave(num_paths // strata, dim=1)), self.weight_bk

    def _paths(self, noise: Noise, offset_bn: Tensor) -> Tensor:
        z = laws.student(noise["exponential"], noise["cosine"], self.dof_bh[:, None])
        return z * (self.log_volatility_bh[:, None] + offset_bn[..., None]).exp()

    def params(self) -> dict[str, Tensor]:
        return {
            "log_volatility": self.log_volatility_bh,
            "dof": self.dof_bh,
            "weight": self.weight_bk,
            "offset": self.offset_bk,
        }

    def quantiles(self, levels_q: Tensor) -> Tensor:
        regimes = (self.weight_bk, self.offset_bk)
        return scale_mixture_quantiles(levels_q, self.log_volatility_bh, self.dof_bh, regimes=regimes)

    def log_prob(self, returns_bh: Tensor) -> Tensor:
        log_volatility_bkh = self.log_volatility_bh[:, None] + self.offset_bk[..., None]
        density = laws.student_log_density(returns_bh[:, None] / log_volatility_bkh.exp(), self.dof_bh[:, None])
        return torch.logsumexp((density - log_volatility_bkh).sum(-1) + self.weight_bk.log(), dim=-1)

"""Dependence between the steps of a path, kept apart from their marginals: which steps are large together."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from synthcity.nets.heads import law as laws
from synthcity.nets.heads.decoder import zero_linear
from synthcity.nets.heads.law import Noise

_FLOOR = 0.01  # of each share, so that none loses its gradient


@dataclass(frozen=True, kw_only=True)
class SizeRanks:
    """Normal scores of the sizes of a path's steps, correlated by ``a + b exp(-decay |t - s|) + c 1{t = s}``.

    The three shares a, b, c sum to one, so every score is standard normal whatever the dependence (Sklar 1959): sizes
    share a level of the whole path, a slow AR(1), and are otherwise their own. A Gaussian copula of the returns
    themselves would give no volatility clustering; one of their sizes gives nothing else.

    ``share_b3`` (batch, 3), ``decay`` a scalar per step.
    """

    share_b3: Tensor
    decay: Tensor
    horizon: int

    def draw_noise(
        self, num_paths: int, generator: torch.Generator | None = None, factor_bb: Tensor | None = None
    ) -> Noise:
        """Draw the base normals of ``scores`` but "own", which belongs to the step's return."""
        like, shape = self.share_b3, (len(self.share_b3), num_paths, self.horizon)
        level = laws.normal(shape[:2], like, generator, factor_bb)
        return {"level": level, "slow": laws.normal(shape, like, generator, factor_bb)}

    def scores(self, noise: Noise) -> Tensor:
        """Return the scores (batch, paths, horizon)."""
        level, slow, own = self.share_b3.sqrt()[:, :, None, None].unbind(1)
        return level * noise["level"][..., None] + slow * (noise["slow"] @ self._recursion().T) + own * noise["own"]

    def log_density(self, score_bh: Tensor) -> Tensor:
        """Log density (batch,) of the copula: that of the scores less that of independent ones."""
        scores = score_bh.double()
        root = torch.linalg.cholesky(self.correlation())
        white = torch.linalg.solve_triangular(root, scores[..., None], upper=False)[..., 0]
        log_det = 2 * root.diagonal(dim1=-2, dim2=-1).log().sum(-1)
        log_density: Tensor = 0.5 * (scores.square().sum(-1) - white.square().sum(-1) - log_det)
        return log_density.to(score_bh.dtype)

    def correlation(self) -> Tensor:
        """Correlation of the scores (batch, horizon, horizon), double precision."""
        level, slow, own = self.share_b3.double()[:, :, None, None].unbind(1)
        step = torch.arange(self.horizon, device=self.decay.device)
        memory = torch.exp(-self.decay.double() * (step[:, None] - step).abs())
        return level + slow * memory + own * torch.eye(self.horizon, dtype=torch.float64, device=memory.device)

    def _recursion(self) -> Tensor:
        """Lower factor of the AR(1)'s correlation: solves the recursion for all steps by one product."""
        step = torch.arange(self.horizon, device=self.decay.device)
        lag = (step[:, None] - step).clamp(min=0)
        memory = torch.exp(-self.decay * lag) * (step[:, None] >= step)
        fresh = torch.sqrt(-torch.expm1(-2 * self.decay)).expand(self.horizon - 1)
        return memory * torch.cat([torch.ones_like(fresh[:1]), fresh])


class RankDependence(nn.Module):
    """Decodes ``SizeRanks``: the shares from the history, one learned speed of the AR(1)."""

    def __init__(self, d_model: int) -> None:
        super().__init__()
        self.shares = zero_linear(d_model, 3)
        self.decay = nn.Parameter(torch.zeros(()))

    def forward(self, summary_bd: Tensor, horizon: int) -> SizeRanks:
        raw = self.shares(summary_bd).float()
        start = raw.new_tensor([0.1, 0.1, 0.8]).log()
        return SizeRanks(
            share_b3=(1 - 3 * _FLOOR) * torch.softmax(raw + start, dim=-1) + _FLOOR,
            # mean reversion per step: exp(-3.5) = a half-life of 23 steps at zero
            decay=torch.exp(-3.5 + 2.0 * torch.tanh(self.decay / 2.0)),
            horizon=horizon,
        )

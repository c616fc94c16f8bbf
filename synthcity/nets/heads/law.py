"""The law of a batch of paths, and the innovations that laws share."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping

import torch
from torch import Tensor

Noise = Mapping[str, Tensor]

MIN_DOF, MAX_DOF = 2.5, 50.0
_LOG_VOLATILITY_BOUND = 3.0


class Law(ABC):
    """A distribution over log returns (batch, paths, horizon), in units of each window's volatility anchor.

    Sampling is differentiable: all randomness comes in as ``noise``, so common random numbers need no further device.
    """

    @abstractmethod
    def draw_noise(
        self, num_paths: int, generator: torch.Generator | None = None, factor_bb: Tensor | None = None
    ) -> Noise:
        """Draw the base noise of ``num_paths`` paths.

        ``factor_bb`` makes the windows of the batch dependent, path by path: all normals behind the noise, of returns
        and of volatilities alike, then have the correlation ``factor @ factor.T`` between windows. No window's own law
        depends on it. ``None`` means independent windows.
        """

    @abstractmethod
    def sample(self, num_paths: int, noise: Noise | None = None, generator: torch.Generator | None = None) -> Tensor:
        """Return log returns (batch, num_paths, horizon), equally likely, as a function of ``noise``."""

    @abstractmethod
    def params(self) -> dict[str, Tensor]:
        """Return the law's parameters for diagnosis."""

    def sample_strata(
        self, num_paths: int, noise: Noise | None = None, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Return paths and their weights (batch, strata): path ``i`` belongs to stratum ``i * strata // num_paths``.

        Laws with discrete regimes override this, since regimes drawn at random give their weights no gradient.
        ``None`` means that all paths are equally likely.
        """
        return self.sample(num_paths, noise, generator), None

    def quantiles(self, levels_q: Tensor) -> Tensor | None:
        """Return the quantiles of every step's marginal law (batch, horizon, levels) at ``levels_q`` in (0, 1).

        ``None`` means that the law does not know them; a law that does is exact to 1e-4 of each value.
        """
        return None

    def log_prob(self, returns_bh: Tensor) -> Tensor | None:
        """Return the log density (batch,) of realised returns, or None where the law has no closed form."""
        return None


def bounded_log_volatility(raw: Tensor) -> Tensor:
    """Squash to (-3, 3) smoothly with slope one at zero: volatility stays within a factor 20 of its anchor."""
    return _LOG_VOLATILITY_BOUND * torch.tanh(raw / _LOG_VOLATILITY_BOUND)


def bounded_dof(raw: Tensor) -> Tensor:
    """Map to degrees of freedom in (2.5, 50); about 4 at zero."""
    return MIN_DOF + (MAX_DOF - MIN_DOF) * torch.sigmoid(raw - 3.4)


def uniform(
    shape: tuple[int, ...], like: Tensor, generator: torch.Generator | None, factor_bb: Tensor | None = None
) -> Tensor:
    """Draw from (0, 1), away from both ends, in float32 on the device of ``like``; see ``Law.draw_noise``."""
    if factor_bb is None:
        u = torch.rand(shape, device=like.device, generator=generator)
    else:
        u = torch.special.ndtr(normal(shape, like, generator, factor_bb))
    return u.clamp(1e-7, 1 - 1e-7)


def normal(
    shape: tuple[int, ...], like: Tensor, generator: torch.Generator | None, factor_bb: Tensor | None = None
) -> Tensor:
    """Draw standard normals in float32 on the device of ``like``; see ``Law.draw_noise``."""
    z = torch.randn(shape, device=like.device, generator=generator)
    return z if factor_bb is None else (factor_bb @ z.flatten(1)).view(shape)


def student(exponential: Tensor, cosine: Tensor, dof: Tensor) -> Tensor:
    """Return Student-t draws of unit variance, differentiable in ``dof`` > 2.

    Bailey's polar method (Mathematics of Computation 62, 1994): with U, V uniform,
    ``sqrt(dof (U^(-2/dof) - 1)) cos(2 pi V)`` is t-distributed; ``exponential`` is -ln U, ``cosine`` the last factor.
    """
    return torch.sqrt((dof - 2.0) * torch.expm1(2.0 * exponential / dof)) * cosine


def student_noise(
    shape: tuple[int, ...], like: Tensor, generator: torch.Generator | None, factor_bb: Tensor | None = None
) -> dict[str, Tensor]:
    """Draw the two base noises of ``student``; see ``Law.draw_noise``.

    They are radius and angle of a pair of normals (Box & Muller 1958), so windows are tied through that pair: signs
    agree as those of correlated normals, whatever the degrees of freedom.
    """
    if factor_bb is not None:
        x, y = normal(shape, like, generator, factor_bb), normal(shape, like, generator, factor_bb)
        exponential = ((x * x + y * y) / 2).clamp(min=1e-7)
        return {"exponential": exponential, "cosine": (x / torch.sqrt(2 * exponential)).clamp(-1.0, 1.0)}
    u = uniform(shape, like, generator)
    v = uniform(shape, like, generator)
    return {"exponential": -u.log(), "cosine": torch.cos(2 * torch.pi * v)}


def upper_tail(score: Tensor) -> Tensor:
    """Probability that a standard normal exceeds ``score``, at least 1e-9; ``ndtr`` would round it to zero from 5.5."""
    beyond: Tensor = torch.special.erfc(score * math.sqrt(0.5)) / 2
    return beyond.clamp(min=1e-9)


def student_log_density(x: Tensor, dof: Tensor) -> Tensor:
    """Log density of a Student-t of unit variance at ``x``."""
    half = (dof + 1) / 2
    constant = torch.lgamma(half) - torch.lgamma(dof / 2) - 0.5 * torch.log(torch.pi * (dof - 2))
    return constant - half * torch.log1p(x * x / (dof - 2))


def normal_log_density(x: Tensor) -> Tensor:
    """Log density of a standard normal at ``x``."""
    return -0.5 * (x * x + torch.log(torch.tensor(2 * torch.pi, device=x.device)))

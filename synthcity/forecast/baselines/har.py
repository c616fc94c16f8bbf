"""A heterogeneous autoregression of log volatility (Corsi, 2009) behind the season of ``fhs``.

Traders look back over different spans. So the log of a coming hour's movement is regressed on that of the last quarter
of an hour, hour, six hours, day and five days, with a regression for each of several hours ahead, and interpolated
between them. Movement is the mean absolute return, which one jump does not decide as it decides a mean of squares. What
past steps were in units of their forecasts is drawn anew: the shape of the law, its level, and what the forecasts did
not know.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthcity.forecast.baselines.fhs import Fhs, FhsConfig
from synthcity.forecast.baselines.sessions import SessionConfig
from synthcity.forecast.baselines.volatility import Filter, past_residuals
from synthcity.schema import key

Floats = NDArray[np.float64]

_LEAST = 1e-4  # of the usual movement, so that a still hour has a logarithm


@dataclass(frozen=True, kw_only=True)
class HarConfig(FhsConfig):
    """As of ``fhs``, whose two speeds are not used; hours are those of trading.

    ``spans_hours`` are those of the regressors; ``leads_hours`` those ahead with a regression of their own; ``ridge``
    draws the coefficients towards equal shares that sum to 1, by the weight of so many hours.
    """

    spans_hours: tuple[float, ...] = (0.25, 1.0, 6.0, 24.0, 120.0)
    leads_hours: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0, 16.0, 24.0)
    ridge: float = key(24.0, low=0.01, high=1e6)

    def __post_init__(self) -> None:
        for name in ("spans_hours", "leads_hours"):
            hours: tuple[float, ...] = getattr(self, name)
            if not hours or hours[0] < 0.1 or list(hours) != sorted(set(hours)) or hours[-1] > 10_000:
                raise ValueError(f"{name} must be growing hours from 0.1 to 10,000, got {hours}")


class Har(Fhs):
    """Season times regressed volatility times bootstrapped residuals."""

    name = "har"
    config: HarConfig

    def __init__(self, config: HarConfig | None = None) -> None:
        super().__init__(config or HarConfig())

    def _filter(self, config: FhsConfig | SessionConfig) -> Filter:
        return lambda z, step_seconds: _fit(z, step_seconds, self.config)


@dataclass(frozen=True, eq=False, kw_only=True)
class _Regressed:
    """Returns ``z`` (n,), the movement expected of the next hour after each (n,), and of hours ahead of the last."""

    z: Floats
    level: Floats
    leads_hours: Floats
    ahead_level: Floats

    @property
    def variance(self) -> Floats:
        return self.level**2

    def ahead(self, hours: Floats) -> Floats:
        return np.asarray(np.interp(hours, self.leads_hours, self.ahead_level) ** 2)

    def residuals(self, recent: NDArray[np.bool_]) -> Floats:
        """In units of mean movement, as the forecasts are."""
        found = past_residuals(self.z, self.variance, recent)
        return np.concatenate([found, -found])


def _fit(z: Floats, step_seconds: int, config: HarConfig) -> _Regressed:
    """Regress on rows an hour apart, the last of which ends with the last return."""
    steps, hour = np.abs(z), max(1, round(3600 / step_seconds))
    usual = float(steps.mean())
    total = np.concatenate([[0.0], np.cumsum(steps / usual)])
    end = np.arange(1, len(z) + 1)
    columns = [np.ones(len(z))]
    for span in config.spans_hours:
        first = np.maximum(end - max(1, round(span * hour)), 0)
        columns.append(np.log((total[end] - total[first]) / (end - first) + _LEAST))
    known = np.stack(columns, axis=1)
    levels: list[Floats] = []
    for lead in config.leads_hours:
        reach, new = max(1, round(lead * hour)), known[-1:] if levels else known
        rows = np.arange(len(z) - reach, 0, -hour)[::-1]
        over = min(hour, reach)
        target = (total[rows + reach] - total[rows + reach - over]) / over
        levels.append(usual * _forecast(known[rows - 1], target, new, config.ridge))
    return _Regressed(
        z=z,
        level=levels[0],
        leads_hours=np.array(config.leads_hours),
        ahead_level=np.array([level[-1] for level in levels]),
    )


def _forecast(x: Floats, target: Floats, new: Floats, ridge: float) -> Floats:
    """Movement expected of rows ``new`` (m, k), right on the average over past ``target`` (n,) of rows ``x`` (n, k)."""
    prior = np.full(x.shape[1], 1 / (x.shape[1] - 1))
    prior[0] = 0.0
    strength = ridge * np.eye(x.shape[1])
    strength[0, 0] = 1e-6  # the level is drawn nowhere
    rest = np.log(target + _LEAST) - x @ prior
    beta = prior + np.linalg.solve(x.T @ x + strength, x.T @ rest)
    scale = target.mean() / np.exp(x @ beta).mean() if target.any() else 1.0
    return np.asarray(scale * np.exp(new @ beta))

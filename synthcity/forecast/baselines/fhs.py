"""Filtered historical simulation (Barone-Adesi, Giannopoulos and Vosper, 1999) with a profile of day and minute.

Returns are divided by what the minutes that they cover bring (bursts, releases), by a time-of-day profile and by a
two-speed EWMA volatility; what remains is drawn anew and dressed in the coming volatility, profile and minutes; in
trading time where a market closes (``sessions``). The strongest of the older baselines, hence one that a winner must
beat.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from synthcity.durations import DAY
from synthcity.errors import DataError
from synthcity.forecast.baselines.base import Baseline
from synthcity.forecast.baselines.draws import Draws
from synthcity.forecast.baselines.profile import ProfileConfig, slot_of, volatility_profile
from synthcity.forecast.baselines.returns import log_returns, require
from synthcity.forecast.baselines.sessions import SessionConfig, session_steps
from synthcity.forecast.baselines.volatility import Filter, Filtered, TwoSpeed
from synthcity.forecast.forecaster import step_ends
from synthcity.market.bars import Bars, History
from synthcity.market.calendar.bursts import BurstConfig, learn_bursts
from synthcity.market.calendar.minutes import Effect, over_steps
from synthcity.market.calendar.week import learn_week
from synthcity.schema import key
from synthcity.sn50.prompt import Prompt

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class FhsConfig:
    """Spans in days or hours; the half-lives count trading time, the histories calendar time.

    ``sessions`` says how to treat an asset that closes or falls still; None treats all alike, by the clock alone.
    ``bursts`` says how the bursts on the marks of the clock are learned; None knows none.
    ``calendar`` counts on what is known to come, where the history has a calendar.
    """

    history_days: float = key(60.0, low=0.01, high=3660)
    minute_history_days: float = key(30.0, low=0.01, high=3660)  # for increments below five minutes
    residual_days: float = key(20.0, low=0.01, high=3660)
    fast_half_life_hours: float = key(6.0, low=0.01, high=100_000)
    slow_half_life_hours: float = key(120.0, low=0.01, high=100_000)
    fast_weight: float = key(0.5, low=0, high=1)
    decay_half_life_hours: float = key(12.0, low=0.01, high=100_000)
    min_returns: int = key(288, low=2, high=1_000_000)
    profile: ProfileConfig = field(default_factory=ProfileConfig)
    sessions: SessionConfig | None = field(default_factory=SessionConfig)
    bursts: BurstConfig | None = field(default_factory=BurstConfig)
    calendar: bool = True

    @property
    def speeds(self) -> TwoSpeed:
        return TwoSpeed(
            fast_half_life_hours=self.fast_half_life_hours,
            slow_half_life_hours=self.slow_half_life_hours,
            fast_weight=self.fast_weight,
            decay_half_life_hours=self.decay_half_life_hours,
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class _Fit:
    profile: Floats  # (576,)
    filtered: Filtered  # of returns / effects / profile
    residuals: Floats  # symmetric, unit variance


class Fhs(Baseline):
    """Profile times two-speed volatility times bootstrapped residuals."""

    name = "fhs"

    def __init__(self, config: FhsConfig | None = None) -> None:
        self.config = config or FhsConfig()

    def log_steps(self, bars: Bars, prompt: Prompt, draws: Draws, *known: Effect) -> Floats:
        """Draw residuals and scale them, ``known`` effects of minutes beside its own; see ``Baseline.log_steps``."""
        sessions, bursts = self.config.sessions, self.config.bursts
        effects: tuple[Effect, ...] = known if bursts is None else (learn_bursts(bars, bursts), *known)
        if sessions is not None:
            week = learn_week(bars)
            if week.rests:
                volatility = self._filter(sessions)
                return session_steps(bars, week, prompt, sessions, draws, self.name, effects, volatility)
        fit = self._fit(bars, prompt.asset, effects)
        steps = draws.of(fit.residuals, prompt.num_simulations, prompt.num_steps)
        steps *= self._future_sigma(fit, prompt, effects)
        return steps

    def expected(self, history: History, prompt: Prompt) -> Floats:
        """Return the volatility expected of each coming step, (num_steps,), in the units of what is drawn for it.

        Raises:
            DataError: the history is too short to fit on, or the asset rests, so that steps have no one scale.
        """
        return self._expected(history, prompt)[0]

    def volatility(self, history: History, prompt: Prompt) -> Floats:
        """Return the standard deviation of the log return of each coming step, (num_steps,); raises as ``expected``."""
        expected, residuals = self._expected(history, prompt)
        return expected * float(np.sqrt(np.mean(residuals**2)))

    def _expected(self, history: History, prompt: Prompt) -> tuple[Floats, Floats]:
        """Return what is expected of each step, and what is drawn in units of it, (n,)."""
        bars = history.bars(prompt.asset, prompt.time_increment)
        if self.config.sessions is not None and learn_week(bars).rests:
            raise DataError(f"{prompt.asset} rests at times, so its steps have no volatility of one kind to expect")
        effects = self._known(history, prompt)
        if self.config.bursts is not None:
            effects = (learn_bursts(bars, self.config.bursts), *effects)
        fit = self._fit(bars, prompt.asset, effects)
        return self._future_sigma(fit, prompt, effects), fit.residuals

    def _steps(self, history: History, prompt: Prompt, draws: Draws) -> Floats:
        bars = history.bars(prompt.asset, prompt.time_increment)
        return self.log_steps(bars, prompt, draws, *self._known(history, prompt))

    def _known(self, history: History, prompt: Prompt) -> tuple[Effect, ...]:
        known = history.effect(prompt.asset) if self.config.calendar else None
        return () if known is None else (known,)

    def _fit(self, bars: Bars, asset: str, effects: tuple[Effect, ...]) -> _Fit:
        c = self.config
        days = c.history_days if bars.resolution >= 300 else c.minute_history_days
        returns = log_returns(bars, last_seconds=round(days * DAY))
        require(returns, c.min_returns, asset, self.name)
        even = replace(returns, value=returns.value / over_steps(returns.observed, bars.resolution, *effects))
        profile = volatility_profile(even, c.profile)
        z = even.value / profile[slot_of(even.observed)]
        filtered = self._filter(c)(z, bars.resolution)
        recent = returns.observed > returns.observed[-1] - c.residual_days * DAY
        return _Fit(profile=profile, filtered=filtered, residuals=filtered.residuals(recent))

    def _filter(self, config: FhsConfig | SessionConfig) -> Filter:
        """The volatility behind the season; ``har`` has another."""
        return config.speeds

    def _future_sigma(self, fit: _Fit, prompt: Prompt, effects: tuple[Effect, ...]) -> Floats:
        """Volatility of each coming step, (num_steps,)."""
        ends = step_ends(prompt) if effects else prompt.grid[1:]
        ahead = np.arange(1, prompt.num_steps + 1) * prompt.time_increment / 3600
        sigma: Floats = np.sqrt(fit.filtered.ahead(ahead)) * fit.profile[slot_of(ends)]
        return sigma * over_steps(ends, prompt.time_increment, *effects)


class FhsPlain(Fhs):
    """The same without bursts and calendar, as it was before: what leads used to be quoted against."""

    name = "fhs-plain"

    def __init__(self, config: FhsConfig | None = None) -> None:
        super().__init__(config or FhsConfig(bursts=None, calendar=False))

"""Filtered historical simulation in trading time: for assets whose market closes or falls still.

The formulas stand in docs/baselines.md. In short: the learned week says which steps trade; a step that trades stands
still with the share of its slot and otherwise moves as in plain FHS, whose clocks count trading time alone here; the
first step after a closure carries the move of the whole closure; closed steps are flat.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from synthcity.durations import DAY, MINUTE
from synthcity.forecast.baselines.draws import Draws
from synthcity.forecast.baselines.profile import ProfileConfig, slot_of, slot_share, volatility_profile
from synthcity.forecast.baselines.returns import Returns, require
from synthcity.forecast.baselines.trades import Trades, trades_of
from synthcity.forecast.baselines.volatility import Filter, Filtered, TwoSpeed
from synthcity.forecast.forecaster import step_ends
from synthcity.market.bars import Bars
from synthcity.market.calendar.clock import new_york
from synthcity.market.calendar.minutes import Effect, minutes_of, over_steps
from synthcity.market.calendar.week import Week
from synthcity.schema import key
from synthcity.sn50.prompt import Prompt

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class SessionConfig:
    """Spans in days of the calendar, half-lives in hours of trading.

    ``gap_*`` are about the move across a closure: the days it is learned from, the power of its length by which its
    variance grows, what a closed step is worth in open ones before any gap was seen and how many gaps that belief
    weighs, and the degrees of freedom of the draws, above 2.
    """

    history_days: float = key(60.0, low=0.01, high=3660)
    residual_days: float = key(20.0, low=0.01, high=3660)
    fast_half_life_hours: float = key(2.0, low=0.01, high=100_000)
    slow_half_life_hours: float = key(40.0, low=0.01, high=100_000)
    fast_weight: float = key(0.5, low=0, high=1)
    decay_half_life_hours: float = key(12.0, low=0.01, high=100_000)
    profile: ProfileConfig = field(default_factory=lambda: ProfileConfig(smooth_slots=2))
    min_returns: int = key(288, low=2, high=1_000_000)
    gap_history_days: float = key(365.0, low=0.01, high=3660)
    gap_length_power: float = key(0.2, low=0, high=2)
    gap_prior_rate: float = key(0.25, low=0.001, high=1000)
    gap_prior_count: float = key(4.0, low=0.001, high=1e6)
    gap_degrees_of_freedom: float = key(4.0, low=2, high=1e6)

    def __post_init__(self) -> None:
        if self.gap_degrees_of_freedom <= 2:
            raise ValueError(f"gap_degrees_of_freedom must exceed 2 for a variance, got {self.gap_degrees_of_freedom}")

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
    profile: Floats  # (576,), by slot of the New York day
    still: Floats  # (576,), share of steps without a move
    filtered: Filtered
    residuals: Floats  # symmetric, unit variance
    gap_scale: float  # standard deviation across a typical closure, in units of the volatility before it


def session_steps(
    bars: Bars,
    week: Week,
    prompt: Prompt,
    config: SessionConfig,
    draws: Draws,
    forecaster: str,
    effects: tuple[Effect, ...],
    volatility: Filter,
) -> Floats:
    """Draw log returns (num_simulations, num_steps) of an asset that trades by ``week``.

    With ``effects`` of minutes the steps are those of ``step_ends``, and one that trades in part moves in part.

    Raises:
        DataError: naming ``forecaster``, where ``bars`` hold too few returns to fit on.
    """
    trades = trades_of(bars, week, round(max(config.history_days, config.gap_history_days) * DAY))
    require(Returns(value=trades.value, observed=trades.observed), config.min_returns, prompt.asset, forecaster)
    typical = week.closure_seconds / bars.resolution
    fit = _fit(trades, bars.resolution, typical, config, effects, volatility)
    ends = step_ends(prompt) if effects else prompt.grid[1:]
    trading = _share_open(week, ends, prompt.time_increment)
    opens = np.concatenate([week.opens(ends[:1] - prompt.time_increment), trading > 0])
    hours = np.cumsum(trading) * prompt.time_increment / 3600
    sigma = np.sqrt(fit.filtered.ahead(hours))
    slots = slot_of(_wall(ends))
    shape = prompt.num_simulations, prompt.num_steps
    steps = draws.of(fit.residuals, *shape)
    steps *= sigma * fit.profile[slots] * np.sqrt(trading) * over_steps(ends, prompt.time_increment, *effects)
    steps *= draws.uniform(*shape) >= fit.still[slots]
    for step, length in _gaps(opens, week, ends, prompt.time_increment):
        scale = fit.gap_scale * (length / typical) ** (config.gap_length_power / 2)
        degrees = config.gap_degrees_of_freedom
        move = math.sqrt((degrees - 2) / degrees) * draws.student(degrees, len(steps), 1)[:, 0]  # of unit variance
        steps[:, step] = scale * sigma[step] * move
    return steps


def _share_open(week: Week, ends: Ints, seconds: int) -> Floats:
    """Share of the minutes of each step, (num_steps,), that are expected to trade."""
    minutes = minutes_of(ends, seconds)
    return np.asarray(week.opens(minutes.ravel() + MINUTE).reshape(minutes.shape).mean(axis=1))


def _fit(
    trades: Trades,
    resolution: int,
    typical: float,
    config: SessionConfig,
    effects: tuple[Effect, ...],
    volatility: Filter,
) -> _Fit:
    start = trades.observed[-1] - config.history_days * DAY
    recent, seen = trades.observed > start, trades.seen > start
    slots = slot_of(_wall(trades.observed))
    value = trades.value / over_steps(trades.observed, resolution, *effects)
    returns = Returns(value=value[recent], observed=_wall(trades.observed[recent]))
    profile = volatility_profile(returns, config.profile)
    z = value / profile[slots]
    filtered = volatility(z, resolution)
    known = trades.gap_after >= config.min_returns  # the volatility before an earlier one is not
    move = trades.gap_move[known] / np.sqrt(filtered.variance[trades.gap_after[known] - 1])
    return _Fit(
        profile=profile,
        still=slot_share(slot_of(_wall(trades.seen[seen])), trades.still[seen], config.profile),
        filtered=filtered,
        residuals=filtered.residuals(trades.observed > trades.observed[-1] - config.residual_days * DAY),
        gap_scale=_gap_scale(move, trades.gap_steps[known], config, typical),
    )


def _gaps(opens: Flags, week: Week, ends: Ints, seconds: int) -> list[tuple[int, int]]:
    """List the steps that end a closure and its length in steps, themselves included; ``opens`` is by grid point."""
    back = np.arange(DAY * 7 // seconds, 0, -1)  # t0 may lie in a closure
    known = np.concatenate([week.opens(ends[0] - seconds - back * seconds), opens])
    at = np.arange(len(known)) - len(back)
    last_open = np.maximum.accumulate(np.where(known, at, at[0]))
    ends = np.flatnonzero(opens[1:] & ~opens[:-1])
    return [(int(step), int(step + 1 - last_open[step + len(back)])) for step in ends]


def _gap_scale(move: Floats, steps: Ints, config: SessionConfig, typical: float) -> float:
    """Scale of a move across a closure of ``typical`` steps from moves (g,) across ``steps`` (g,), in volatilities.

    From mean absolute values, because some nights bring news of another size, drawn towards ``gap_prior_rate``.
    """
    alike = np.abs(move) * (typical / steps) ** (config.gap_length_power / 2)
    total = alike.sum() / _mean_absolute(config.gap_degrees_of_freedom)
    prior = config.gap_prior_count * math.sqrt(config.gap_prior_rate * typical)
    return float((total + prior) / (len(move) + config.gap_prior_count))


def _mean_absolute(degrees: float) -> float:
    """Mean absolute value of a Student-t of unit variance."""
    return math.sqrt((degrees - 2) / math.pi) * math.exp(math.lgamma((degrees - 1) / 2) - math.lgamma(degrees / 2))


def _wall(observed: Ints) -> Ints:
    """Write the ends of steps as New York wall time."""
    return np.asarray(new_york(observed - 1) + 1)

"""The one place that knows how the network's clock differs from ours.

The network labels a price by the opening time of its minute candle, so grid time t is settled by the close that is
observed at t + 60 s; and it asks a minute or two before t0. Elsewhere in synthcity history ends at a prompt's start
and its grid holds times of observation. Here one is turned into the other, for simulating and for settling alike.

``simulate`` asks the forecaster for what it was trained for, a prompt that starts where its bars end, tells it how much
later the steps lie that are scored, and uses the changes of those paths as they are. What lies between the last known
price and t0 is a further move, drawn from the forecaster's own first step: all whole steps that fit, and of one more
its share of the variance. So prices at t0 differ from path to path, and a stale price widens the ensemble instead of
passing for a fresh one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synthcity.errors import DataError
from synthcity.forecast.forecaster import Forecaster, Paths, Shifted
from synthcity.market.bars import Floats, History, Market, Times
from synthcity.market.times import format_duration
from synthcity.sn50.competitions import Competition
from synthcity.sn50.prompt import Prompt

MINUTE = 60
"""Length of the candles that settle, and how long after its grid time a price is observed."""

LONGEST_WAIT_SECONDS = 1800


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Paths for the network.

    Attributes:
        paths: prices (num_simulations, num_steps + 1) on the network's grid.
        price: the last price known, from which they start.
        observed: when it was observed, unix seconds.
        price_age: seconds from then until the history's ``now``.
        wait_seconds: seconds from then until the close that settles t0 is observed.
    """

    paths: Paths
    price: float
    observed: int
    price_age: int
    wait_seconds: int


def asked_at(start_time: int, competition: Competition) -> int:
    """When the last minute was observed that is known to whoever is asked for the prompt of ``start_time``.

    The network rounds the time of asking up to the minute and adds ``deadline_extra_seconds``, so it asks within the
    minute after this.
    """
    return start_time - competition.deadline_extra_seconds - MINUTE


def settled_at(prompt: Prompt) -> Times:
    """When the prices are observed that settle the prompt's grid, unix seconds (num_steps + 1,)."""
    return prompt.grid + MINUTE


def realised(market: Market, prompt: Prompt) -> Floats:
    """Prices that settle a prompt (num_steps + 1,), from minute bars; NaN where there was none."""
    return market.realised(prompt.asset, settled_at(prompt), MINUTE)


def simulate(
    forecaster: Forecaster,
    history: History,
    prompt: Prompt,
    *,
    seed: int | None = None,
    longest_wait_seconds: float = LONGEST_WAIT_SECONDS,
) -> Answer:
    """Answer a prompt of the network from what ``history`` knows: minute bars, and bars of the prompt's increment.

    Raises:
        DataError: the last price lies further back than ``longest_wait_seconds``, bars of the prompt's increment end
            long before it, or the forecaster lacks history.
    """
    settled = int(settled_at(prompt)[0])
    known = history if history.now <= settled else history.until(settled)
    minutes = known.bars(prompt.asset, MINUTE)
    observed = int(minutes.observed[-1]) if len(minutes) else 0
    wait = settled - observed
    if wait > longest_wait_seconds:
        age = f"{format_duration(wait)} before t0 is settled" if observed else "not there at all"
        raise DataError(f"the last price of {prompt.asset} is {age}; at most {longest_wait_seconds:g} s are bridged")
    start = observed // prompt.time_increment * prompt.time_increment
    _check_increment(known, prompt, start, longest_wait_seconds)
    rng = np.random.default_rng(seed)
    own_seed = int(rng.integers(2**63))
    asked = Shifted(**{**vars(prompt), "start_time": start, "shift": settled - start})
    paths = forecaster.simulate(known.until(start), asked, seed=own_seed)
    changes = paths / paths[:, :1]
    move = _move(np.log(changes[:, 1]), wait / prompt.time_increment, rng)
    price = float(minutes.close[-1])
    return Answer(
        paths=price * np.exp(move)[:, None] * changes,
        price=price,
        observed=observed,
        price_age=history.now - observed,
        wait_seconds=wait,
    )


def _check_increment(history: History, prompt: Prompt, start: int, longest: float) -> None:
    bars = history.bars(prompt.asset, prompt.time_increment)
    if not len(bars) or start - int(bars.observed[-1]) > longest:
        have = f"end {format_duration(start - int(bars.observed[-1]))} before the last price" if len(bars) else "lack"
        raise DataError(f"{prompt.time_increment}-second bars of {prompt.asset} {have}; the forecaster needs them")


def _move(steps: Floats, num_steps: float, rng: np.random.Generator) -> Floats:
    """Log returns (N,) over ``num_steps`` steps, whole or not, of a law known by log returns ``steps`` (N,) of one."""
    whole, part = divmod(num_steps, 1.0)
    mean = float(steps.mean())
    move = np.zeros_like(steps)
    for _ in range(int(whole)):
        move += rng.permutation(steps)
    move += part * mean + np.sqrt(part) * (rng.permutation(steps) - mean)
    return move

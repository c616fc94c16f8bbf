"""One world: a simulated market with a truth planted in it, sealed from whoever looks for it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from synthcity.errors import ConfigError, unknown_name
from synthcity.market.bars import Bars, Floats, Market, Times
from synthcity.market.simulated import SimulatedConfig, SimulatedMarket
from synthcity.research.inputs import Rows
from synthcity.research.known import Known, known_of
from synthcity.research.worlds.truths import TRUTHS, Truth, extra_series

STEP = 300


@dataclass(frozen=True, eq=False, kw_only=True)
class World:
    """A market, what is known beside its prices, and what was planted."""

    market: Market
    known: Known
    oracle: Oracle

    @property
    def truth(self) -> dict[str, Any]:
        """The kind and the parameters of what was planted: not to be shown before the end."""
        return {"kind": self.oracle.truth.kind, **asdict(self.oracle.truth)}


@dataclass(frozen=True, eq=False)
class Oracle:
    """An input that knows the planted part, in the form that inputs have.

    Its covariate is what could be known of the multiplier of each step; its column of the past is the multiplier in
    force at the prompt, without which nothing tells what of it the baseline carries on.
    """

    truth: Truth
    base: Known = field(repr=False)
    planted: Floats = field(repr=False)
    name = "oracle"

    def past(self, known: Known, rows: Rows) -> Floats:
        """Return the log multiplier of the bar that was observed last, (rows, assets, 1)."""
        return np.asarray(self.planted[rows][..., None])

    def future(self, known: Known, rows: Rows, ends: Times) -> Floats:
        """Return the log multiplier as it could be foretold, (rows, assets, steps, 1)."""
        return self.truth.foretold(self.base, self.planted, rows, ends)[..., None]


def draw_world(seed: int, assets: tuple[str, ...], start: str, days: int, *, kind: str | None = None) -> World:
    """Draw a world: its kind too, unless that is given.

    Raises:
        ConfigError: there is no such kind.
    """
    if kind is not None and kind not in TRUTHS:
        raise ConfigError(unknown_name("kind of world", kind, TRUTHS))
    rng = np.random.default_rng([seed, 16])
    drawn = _drawn(rng)
    config = SimulatedConfig(seed=seed, start=start, days=days)
    base = SimulatedMarket(config).market(assets)
    series = extra_series(rng, config.epoch, config.end)
    known = known_of(base, assets, STEP, series)
    truth = TRUTHS[kind or drawn].draw(rng, assets)
    planted = truth.multiplier(known)
    bars = {}
    for number, asset in enumerate(assets):
        own = base[asset, STEP]
        at = (own.observed - known.times[0]) // STEP
        bars[asset, STEP] = louder(own, np.exp(planted[at, number]))
    market = Market(bars)
    return World(market=market, known=known_of(market, assets, STEP, series), oracle=Oracle(truth, known, planted))


def kind_of(seed: int) -> str:
    """Return the kind of the world of a seed, without drawing it."""
    return _drawn(np.random.default_rng([seed, 16]))


def _drawn(rng: np.random.Generator) -> str:
    return str(rng.choice(list(TRUTHS)))


def louder(bars: Bars, by: Floats) -> Bars:
    """Return bars whose every log return, and reach to high and low, is ``by`` (n,) times as large."""
    opened = np.log(bars.open)
    move = (np.log(bars.close) - opened) * by
    jump = np.concatenate([[0.0], opened[1:] - np.log(bars.close[:-1])])  # from one close to the next opening
    close = opened[0] + np.cumsum(move + jump)
    first = close - move
    return Bars(
        bars.time,
        np.exp(first),
        np.exp(first + (np.log(bars.high) - opened) * by),
        np.exp(first + (np.log(bars.low) - opened) * by),
        np.exp(close),
        bars.volume * by,
        bars.resolution,
    )

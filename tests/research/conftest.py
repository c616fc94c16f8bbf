"""A small bench without a baseline: prompts of four hours whose steps are as volatile as expected, or as planted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from synthcity.durations import DAY, HOUR
from synthcity.market.bars import Bars, Floats, Market, Times
from synthcity.market.periods import Period
from synthcity.research.config import FoldsConfig
from synthcity.research.inputs import Rows
from synthcity.research.known import COLUMNS, Known
from synthcity.research.measuring.cases import Cases
from synthcity.research.measuring.law import Horizon
from synthcity.research.measuring.trial import Judge
from synthcity.research.setting import Setting

START, STEP, STEPS = 1_735_689_600, 300, 48
ASSETS = ("BTC", "ETH")
FOLDS = FoldsConfig(
    learn=Period(start=START, end=START + 20 * DAY),
    find=Period(start=START + 20 * DAY, end=START + 50 * DAY),
    confirm=Period(start=START + 50 * DAY, end=START + 76 * DAY),
    parts=2,
)
WAVE = '''"""A cycle of seven hours."""

import numpy as np

NAME = "seven_hours"
LOOKBACK_DAYS = 1
FUTURE = ("wave",)


def future(history, times):
    wave = np.cos(2 * np.pi * times / (7 * 3600))
    return np.broadcast_to(wave[None, :, None], (len(history.assets), len(times), 1)).copy()
'''

HORIZONS = tuple(
    Horizon(name=str(size), first=np.arange(0, STEPS, size), last=np.arange(size, STEPS + 1, size)) for size in (1, 6)
)


@dataclass(frozen=True)
class Wave:
    """A cosine of the clock, as an input; ``foresight`` makes it one that reads the next return."""

    name: str = "wave"
    hours: float = 7.0
    phase: float = 0.0
    foresight: bool = False

    def past(self, known: Known, rows: Rows) -> Floats:
        if not self.foresight:
            return np.zeros((len(rows), len(known.assets), 0))
        moves = np.stack([known.returns(asset) for asset in known.assets], axis=1)
        return np.asarray(moves[np.minimum(rows + 1, len(known) - 1)][..., None])

    def future(self, known: Known, rows: Rows, ends: Times) -> Floats:
        wave = np.cos(2 * np.pi * (ends / (self.hours * HOUR) + self.phase))
        return np.repeat(wave[:, None, :, None], len(known.assets), axis=1)


def make_judge(planted: float, seed: int = 0) -> Judge:
    """Return a judge of 76 days of prompts, every five hours, whose log volatility swings by ``planted`` in 7 hours."""
    rng = np.random.default_rng(seed)
    rows = 77 * DAY // STEP
    times = START + STEP * np.arange(rows, dtype=np.int64)
    swing = planted * np.cos(2 * np.pi * times / (7 * HOUR))
    bars = {}
    for asset in ASSETS:
        moves = 0.001 * np.exp(swing) * rng.standard_t(5, rows)
        close = np.exp(np.cumsum(moves))
        bars[asset] = {name: close if name != "volume" else np.ones(rows) for name in COLUMNS}
    funding = (times[::96], rng.standard_normal(len(times[::96])))
    due = times[5::500].astype(np.float64)
    known = Known(times=times, step=STEP, bars=bars, series={"funding": funding, "notices": (times[5::500] - DAY, due)})
    starts = np.repeat(np.arange(START + DAY, START + 76 * DAY - STEPS * STEP, 5 * HOUR), len(ASSETS))
    which = np.tile(np.arange(len(ASSETS)), len(starts) // len(ASSETS))
    row = (starts - START) // STEP
    at = row[:, None] + np.arange(STEPS + 1)
    prices = np.stack([np.log(bars[name]["close"]) for name in ASSETS], axis=1)[at, which[:, None]]
    expected = np.full((len(starts), STEPS), 0.001)
    cases = Cases(assets=ASSETS, asset=which, start=starts, row=row, expected=expected, prices=prices, step=STEP)
    return Judge(cases, known, HORIZONS, {"BTC": 1.0, "ETH": 0.7}, FOLDS.learn)


@pytest.fixture(scope="session")
def swinging() -> Judge:
    return make_judge(0.4)


@pytest.fixture(scope="session")
def still() -> Judge:
    return make_judge(0.0)


@pytest.fixture(scope="session")
def judge_of() -> Callable[[float, int], Judge]:
    return make_judge


def market_of(known: Known) -> Market:
    """Return the same prices as bars."""
    names = ("open", "high", "low", "close", "volume")
    return Market(
        {
            (asset, STEP): Bars(known.times - STEP, *(own[name] for name in names), STEP)
            for asset, own in known.bars.items()
        }
    )


def setting_of(judge: Judge) -> Setting:
    """Return a judge with all that a research needs beside it."""
    return Setting(
        market=market_of(judge.known),
        known=judge.known,
        cases=judge.cases,
        judge=judge,
        notes=("one was left out",),
        world=None,
    )

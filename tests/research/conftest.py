"""A small bench without a baseline: prompts of four hours whose steps are as volatile as expected, or as planted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest

from synthcity.durations import DAY, HOUR
from synthcity.forecast.baselines.har import Har
from synthcity.market.bars import Bars, Floats, Market, Times
from synthcity.market.periods import Period
from synthcity.research.config import FoldsConfig
from synthcity.research.examiner import Examiner
from synthcity.research.inputs import Rows
from synthcity.research.known import COLUMNS, Known
from synthcity.research.measuring.cases import Cases
from synthcity.research.measuring.contest import Contest
from synthcity.research.measuring.law import Horizon
from synthcity.research.measuring.trial import Judge
from synthcity.research.setting import Setting
from synthcity.sn50.competitions import Competition, get_competition, get_rules

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

# a forecaster that knows what is planted in the market of ``make_judge``
SWING = '''"""Volatility that swings in seven hours, about what the last days tell."""

import numpy as np

NAME = "swing"
LOOKBACK_DAYS = 2
DEPTH = 0.4


def forecast(history, asset, ends, noise):
    bars = history.bars[history.resolution]
    returns = np.diff(np.log(bars.close[:, asset]))
    swing = DEPTH * np.cos(2 * np.pi * bars.time[1:] / (7 * 3600))
    both = np.concatenate([returns / np.exp(swing), -returns / np.exp(swing)])
    drawn = both[(noise.uniform * len(both)).astype(np.int64)]
    return drawn * np.exp(DEPTH * np.cos(2 * np.pi * ends / (7 * 3600)))
'''

HORIZONS = tuple(
    Horizon(name=str(size), first=np.arange(0, STEPS, size), last=np.arange(size, STEPS + 1, size)) for size in (1, 6)
)


def competition() -> Competition:
    """Four hours of crypto-24h, so that tests are quick."""
    day = get_competition("crypto-24h")
    short = tuple(one for one in day.intervals if one.seconds <= 4 * HOUR)
    return replace(day, time_length=STEPS * STEP, intervals=short)


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


def contest_of(judge: Judge) -> Contest:
    """Return the test of forecasters on the same prompts."""
    return Contest(Har(), market_of(judge.known), judge.cases, competition(), get_rules())


def examiner_of(judge: Judge) -> Examiner:
    """Return whoever tests both."""
    return Examiner(judge, contest_of(judge))


def setting_of(judge: Judge) -> Setting:
    """Return a judge with all that a research needs beside it."""
    return Setting(
        market=market_of(judge.known),
        known=judge.known,
        cases=judge.cases,
        judge=judge,
        contest=contest_of(judge),
        notes=("one was left out",),
        world=None,
        simulated=True,
    )

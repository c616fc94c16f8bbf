"""Features that a language model wrote, from a text to columns."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from synthcity.authored import feature as module
from synthcity.authored.feature import LIMITS, Feature, FeatureSource, open_feature
from synthcity.authored.locked.forks import Misbehaved
from synthcity.authored.panel import Panel
from synthcity.authored.reading import Refused
from synthcity.durations import DAY
from synthcity.market.bars import Bars, Market
from synthcity.market.simulated import SimulatedConfig, SimulatedMarket

ASSETS = ("BTC", "ETH")
SOURCE = '''"""Volatility of the other asset leads, and funding tells the regime."""

import numpy as np

NAME = "lead_lag"
LOOKBACK_DAYS = 2
PAST = ("own", "other", "funding")
FUTURE = ("minute",)


def past(history):
    close = history.bars[history.resolution].close
    returns = np.nan_to_num(np.diff(np.log(close), axis=0))
    own = np.sqrt(np.mean(returns[-12:] ** 2, axis=0))
    funding = history.series["funding"]
    latest = funding.value[-1] if len(funding.time) else 0.0
    return np.stack([own, np.flip(own), np.full(len(own), latest)], axis=1)


def future(history, times):
    minute = (times // 60) % 60
    wave = np.sin(2 * np.pi * minute / 60)
    return np.broadcast_to(wave[None, :, None], (len(history.assets), len(times), 1))
'''


@cache
def market() -> Market:
    return SimulatedMarket(SimulatedConfig(start="2025-01-01", days=6, seed=3)).market(ASSETS)


@cache
def panel() -> Panel:
    first, last = (int(market()["BTC", 300].observed[k]) for k in (0, -1))
    time = np.arange(first, last, 8 * 3600, dtype=np.int64)
    return Panel.of(market(), ASSETS, 300, series={"funding": (time, np.sin(np.arange(len(time))))})


def times(count: int = 7) -> np.ndarray:
    return panel().grids[300].time[900 :: 700 // count][:count]


def edited(*pairs: tuple[str, str]) -> FeatureSource:
    text = SOURCE
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    return FeatureSource.of(text)


def test_a_text_says_what_it_gives() -> None:
    source = FeatureSource.of(SOURCE)
    assert (source.name, source.lookback_days) == ("lead_lag", 2.0)
    assert (source.past, source.future) == (("own", "other", "funding"), ("minute",))
    assert source.about == "Volatility of the other asset leads, and funding tells the regime."


def test_columns_are_those_of_numpy_in_any_order_of_times() -> None:
    asked = times()[::-1].copy()
    asked[[1, 4]] = asked[[4, 1]]
    with open_feature(FeatureSource.of(SOURCE), panel()) as feature:
        found = feature.past(asked)
        ahead = feature.future(asked, asked[:, None] + 300 * np.arange(1, 5))
    for n, now in enumerate(asked):
        bars = [market()[asset, 300].until(int(now)) for asset in ASSETS]
        own = [np.sqrt(np.mean(np.diff(np.log(b.close))[-12:] ** 2)) for b in bars]
        np.testing.assert_allclose(found[n, :, 0], own, rtol=1e-12)
        np.testing.assert_allclose(found[n, :, 1], own[::-1], rtol=1e-12)
        series_time, value = panel().series["funding"]
        assert found[n, 0, 2] == value[series_time <= now][-1]
        minute = (now + 300 * np.arange(1, 5)) // 60 % 60
        np.testing.assert_allclose(ahead[n, 1, :, 0], np.sin(2 * np.pi * minute / 60))


def test_the_same_times_are_asked_again_for_the_same_text() -> None:
    one, other = (Feature(FeatureSource.of(SOURCE), panel(), LIMITS) for _ in range(2))
    order = np.arange(500)
    assert one._sampled("past", order) == other._sampled("past", order)
    assert one._sampled("past", order) != one._sampled("future", order)


def test_later_prices_change_nothing() -> None:
    """Whatever the code does: the future is not in the process."""
    now = times()[3]
    later = {}
    for (asset, resolution), bars in market().items():
        close = np.where(bars.observed > now, 7.0, bars.close)
        later[asset, resolution] = Bars(bars.time, bars.open, bars.high, bars.low, close, bars.volume, resolution)
    changed = Panel.of(Market(later), ASSETS, 300, series=dict(panel().series))
    source = edited(("returns[-12:]", "returns"))
    found = []
    for each in (panel(), changed):
        with open_feature(source, each) as feature:
            found.append(feature.past(times()[:4]))
    np.testing.assert_array_equal(found[0], found[1])


def test_a_history_is_as_long_as_was_asked_for_whatever_was_asked_before() -> None:
    source = edited(
        ("np.full(len(own), latest)", "np.full(len(own), float(len(returns)))"),
        ("own = np.sqrt", "returns = np.concatenate([returns, returns[:1]])\n    own = np.sqrt"),
    )
    with open_feature(source, panel()) as feature:
        streamed = feature.past(times())
    assert set(streamed[:, 0, 2]) == {2 * DAY / 300}
    for n, now in enumerate(times()):
        with open_feature(source, panel()) as feature:
            np.testing.assert_allclose(feature.past(np.array([now]))[0], streamed[n], rtol=1e-9)


def test_bars_of_other_resolutions_are_beside() -> None:
    bars = SimulatedMarket(SimulatedConfig(start="2025-01-01", days=4, seed=3)).market(ASSETS, resolution=60)
    both = Market({**{key: market()[key] for key in market()}, ("BTC", 60): bars["BTC", 60]})
    beside = Panel.of(both, ASSETS, 300, finer=[60], series=dict(panel().series))
    source = edited(("np.flip(own)", "history.bars[60].close[-1]"), ("np.stack([own", "np.stack([own * 0"))
    now = int(bars["BTC", 60].observed[-7])
    with open_feature(source, beside) as feature, pytest.raises(Misbehaved, match="not finite"):
        feature.past(np.array([now]))  # there are none of ETH
    alone = Panel.of(both, ["BTC"], 300, finer=[60], series=dict(panel().series))
    with open_feature(source, alone) as feature:
        assert feature.past(np.array([now]))[0, 0, 1] == bars["BTC", 60].close[-7]


MISTAKES = {
    "no docstring": ((SOURCE.splitlines()[0], "import math"), "docstring"),
    "no name": (('"lead_lag"', '"Lead Lag"'), "NAME must be"),
    "no lookback": (("LOOKBACK_DAYS = 2", ""), "LOOKBACK_DAYS must be"),
    "a long lookback": (("LOOKBACK_DAYS = 2", "LOOKBACK_DAYS = 400"), "at most 60"),
    "no names of columns": (('PAST = ("own", "other", "funding")', ""), "PAST must be a tuple"),
    "a name too short": (('FUTURE = ("minute",)', 'FUTURE = ("on",)'), "line 8: FUTURE: 'on' is no name of 3 to 32"),
    "two columns of a name": (('"own", "other"', '"own", "own"'), "different names"),
    "columns of no function": (("def future(history, times)", "def ahead(history, times)"), "no function future"),
    "an argument more": (("def past(history)", "def past(history, more)"), "past takes 1 arguments"),
    "a class": (("def past", "class X:\n    pass\n\n\ndef past"), "classdef is not allowed"),
    "a file": (("minute = (times", "np.load('x')\n    minute = (times"), "numpy.load is not allowed"),
    "uninitialised memory": (("minute = (times", "np.empty(3)\n    minute = (times"), "numpy.empty is not allowed"),
    "randomness": (("minute = (times", "np.random.rand()\n    minute = (times"), "numpy.random is not allowed"),
    "a memory": (("def past", "SEEN = []\n\n\ndef past"), "a constant must be"),
    "an import": (("import numpy as np", "import numpy as np\nimport os"), "import of os is not allowed"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_what_a_file_may_not_be(name: str) -> None:
    change, expected = MISTAKES[name]
    with pytest.raises(Refused, match=expected):
        edited(change)


def test_what_a_file_lacks_is_not_asked_for() -> None:
    source = edited(('FUTURE = ("minute",)', ""), ("def future(history, times)", "def ahead(history, times)"))
    assert source.future == ()
    with open_feature(source, panel()) as feature, pytest.raises(Refused, match="no function future"):
        feature.future(times(), times()[:, None] + 300)


WRONG = {
    "another shape": ("np.stack([own, ", "np.stack([own, own, ", r"the shape \(2, 4\)"),
    "not a number": ("np.full(len(own), latest)", "np.full(len(own), np.nan)", "not finite"),
    "an error": ("np.full(len(own), latest)", "own[99]", "line 17: IndexError"),
    "its history": ("own = np.sqrt", "close[-1] = 0.0\n    own = np.sqrt", "read-only"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_it_may_not_answer(name: str) -> None:
    old, new, expected = WRONG[name]
    with (
        open_feature(edited((old, new)), panel()) as feature,
        pytest.raises(Misbehaved, match=f"feature lead_lag: .*{expected}"),
    ):
        feature.past(times())


REMEMBERS = """
seen = []


def past(history):
    seen.append(history.now)
    return [[float(len(seen))] * 3 for name in history.assets]
"""


def test_what_hangs_on_the_calls_before_is_refused() -> None:
    """The reader lets nothing be kept; whoever got past it is found out by a child that was asked nothing before."""
    source = replace(FeatureSource.of(SOURCE), source=REMEMBERS)
    with open_feature(source, panel()) as feature:
        assert feature.past(times()[:1])[0, 0, 0] == 1.0
        with pytest.raises(Misbehaved, match="past gives other values when it was asked nothing before"):
            feature.past(times())


CHEATS = {
    "a module that it changes": "np.seen = getattr(np, 'seen', 0) + 1\n    value = float(np.seen)",
    "its own globals": "globals()['n'] = globals().get('n', 0) + 1\n    value = float(n)",
    "the harness": (
        "import sys\n    kept = [f for f in (sys._getframe(k) for k in range(1, 6)) if 'past' in f.f_locals][0]\n"
        "    past = kept.f_locals['past']\n    past.n = getattr(past, 'n', 0) + 1\n    value = float(past.n)"
    ),
    "the clock": "import time\n    value = float(time.perf_counter_ns())",
    "chance": "value = float(np.random.default_rng().random())",
    "its process": "import os\n    value = float(os.getpid())",
}


@pytest.mark.parametrize("name", CHEATS)
def test_who_has_all_of_python_keeps_nothing_unseen(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it keeps, counts or draws differs in a child that was asked nothing before."""
    text = f"import builtins, numpy as np\n\n\ndef past(history):\n    {CHEATS[name]}\n    return [[value] * 3] * 2\n"
    source = replace(FeatureSource.of(SOURCE), source=text)
    monkeypatch.setattr("synthcity.authored.feature.WORKER", "tests.authored.unbound")
    with (
        open_feature(source, panel()) as feature,
        pytest.raises(Misbehaved, match="past gives other values when it was asked nothing before"),
    ):
        feature.past(times())


def test_all_calls_together_have_a_time_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECONDS", 1e-6)
    with (
        open_feature(FeatureSource.of(SOURCE), panel()) as feature,
        pytest.raises(Misbehaved, match="past took more than 1e-06 s of a CPU for 1 of 7 times"),
    ):
        feature.past(times())

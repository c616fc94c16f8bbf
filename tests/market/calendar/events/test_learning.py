"""Multipliers learned from prices whose law is known, and from nothing that came later."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from synthcity.durations import DAY, MINUTE
from synthcity.market.bars import Bars, Floats
from synthcity.market.calendar.events.calendar import Calendar
from synthcity.market.calendar.events.event import Certainty, Kind
from synthcity.market.calendar.events.learning import learn
from synthcity.market.calendar.events.response import EDGES
from synthcity.market.times import parse_time
from tests.market.calendar.events.factories import event

START, DAYS = parse_time("2025-01-01"), 300
CPI = (1.0, 6.0, 3.0, 2.0, 1.5, 1.3, 1.2, 1.0)
TIMES = [START + day * DAY + 13 * 3600 + 1800 for day in range(10, DAYS, 12)]
CALENDAR = Calendar(tuple(event(time) for time in TIMES), has_rules=False)


def _multipliers(opens: np.ndarray, times: list[int], curve: tuple[float, ...]) -> Floats:
    found = np.ones(len(opens))
    for time in times:
        since = (opens - time) // MINUTE
        inside = (since >= EDGES[0]) & (since < EDGES[-1])
        found[inside] *= np.array(curve)[np.searchsorted(EDGES, since[inside], side="right") - 1]
    return found


def _bars(seed: int, opens: np.ndarray, multipliers: Floats, resolution: int = 300) -> Bars:
    """Normal returns that follow the time of day and rise and fall over weeks, times ``multipliers``."""
    rng = np.random.default_rng(seed)
    day = 1 + 0.5 * np.sin(2 * np.pi * opens / DAY)
    weeks = np.exp(0.4 * np.sin(2 * np.pi * opens / (40 * DAY)))
    close = 100 * np.exp(np.cumsum(1e-3 * day * weeks * multipliers * rng.standard_normal(len(opens))))
    return Bars(opens, close, close, close, close, np.ones(len(opens)), resolution)


OPENS = START + 300 * np.arange(DAYS * 288, dtype=np.int64)
MARKET = {
    asset: _bars(seed, OPENS, _multipliers(OPENS, TIMES, CPI)) for seed, asset in enumerate(["BTC", "ETH", "SOL"])
}
END = START + DAYS * DAY


def test_what_events_do_is_found_again_but_for_what_few_events_are_drawn_in():
    found = learn(MARKET, CALENDAR, END, {})
    assert found.num_events == {Kind.CPI: 25}
    np.testing.assert_allclose(found.pooled[Kind.CPI], (1 + 25 / 28 * (np.array(CPI) - 1)), rtol=0.15)
    assert found.pooled[Kind.CPI][1] > 4.8
    for asset in MARKET:
        np.testing.assert_allclose(found.own[Kind.CPI][asset], CPI, rtol=0.3)


def test_events_that_overlap_are_told_apart():
    later = [time + 90 * MINUTE for time in TIMES[::2]]
    curve = (1.0, 3.0, 2.0, 1.5, 1.0, 1.0, 1.0, 1.0)
    both = _multipliers(OPENS, TIMES, CPI) * _multipliers(OPENS, later, curve)
    calendar = Calendar((*CALENDAR.dated, *(event(time, Kind.ISM) for time in later)), has_rules=False)
    found = learn({"BTC": _bars(3, OPENS, both)}, calendar, END, {}).pooled
    assert 4.5 < found[Kind.CPI][1] < 6.5
    assert found[Kind.CPI][6] < 1.35, "what the later one does is not put down to it"
    assert 2.0 < found[Kind.ISM][1] < 3.4


def test_a_kind_of_few_events_is_drawn_hard_towards_1():
    few = {number: learn(MARKET, Calendar(CALENDAR.dated[:number], has_rules=False), END, {}) for number in (1, 4)}
    first_minutes = [few[number].pooled[Kind.CPI][1] for number in (1, 4)]
    assert 1.2 < first_minutes[0] < 2.5 < first_minutes[1] < 5.0


def test_nothing_is_learned_from_an_event_that_is_not_sure_or_where_none_is():
    unsure = Calendar(tuple(replace(e, certainty=Certainty.UNCHECKED) for e in CALENDAR.dated), has_rules=False)
    assert learn(MARKET, unsure, END, {}).pooled == {}
    assert learn({}, CALENDAR, END, {}).pooled == {}
    assert learn({"BTC": MARKET["BTC"].slice(0, 10)}, CALENDAR, END, {}).pooled == {}


def test_an_ordinary_time_has_multipliers_of_about_1():
    ordinary = Calendar(tuple(event(time + 5 * DAY, Kind.PPI) for time in TIMES), has_rules=False)
    found = learn({a: _bars(9 + k, OPENS, np.ones(len(OPENS))) for k, a in enumerate(MARKET)}, ordinary, END, {})
    np.testing.assert_allclose(found.pooled[Kind.PPI], 1.0, atol=0.2)


@pytest.mark.parametrize("days", [100, 200])
def test_later_prices_and_later_events_change_nothing(days: int):
    until = START + days * DAY
    known = learn(MARKET, CALENDAR, until, {})
    other = {}
    for asset, bars in MARKET.items():
        close = bars.close.copy()
        close[bars.observed > until] *= np.exp(np.random.default_rng(0).standard_normal((bars.observed > until).sum()))
        other[asset] = replace(bars, close=close)
    more = CALENDAR.extended(event(END + k * DAY, Kind.NFP) for k in range(5))
    assert learn(other, more, until, {}) == known
    assert learn(MARKET, CALENDAR, END, {}) != known


def test_minute_bars_tell_how_the_first_five_minutes_are_spread():
    opens = START + 60 * np.arange(150 * 1440, dtype=np.int64)
    multipliers = np.ones(len(opens))
    for time in TIMES:
        for minute, size in enumerate((10.0, 6.0, 4.0, 3.0, 2.0)):
            multipliers[opens == time + 60 * minute] = size
    found = learn(MARKET, CALENDAR, END, {"BTC": _bars(5, opens, multipliers, 60)}).opening
    assert np.mean(np.square(found)) == pytest.approx(1.0, abs=0.01)
    assert found[0] > 1.15 > found[1] > found[4]
    assert learn(MARKET, CALENDAR, END, {}).opening == (1.0,) * 5


def test_an_asset_that_closes_is_learned_from_where_it_trades():
    open_now = (OPENS % DAY >= 14 * 3600) & (OPENS % DAY < 21 * 3600)
    bars = MARKET["BTC"]
    closing = Bars(
        *(getattr(bars, name)[open_now] for name in ("time", "open", "high", "low", "close", "volume")), resolution=300
    )
    found = learn({**MARKET, "SP500": closing}, CALENDAR, END, {})
    assert found.own[Kind.CPI]["SP500"][1] == pytest.approx(found.pooled[Kind.CPI][1], abs=0.002), "all it can know"
    assert all(np.isfinite(found.own[Kind.CPI]["SP500"]))

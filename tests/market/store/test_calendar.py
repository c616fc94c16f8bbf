from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from synthcity.errors import ConfigError, DataError
from synthcity.market.calendar.events.calendar import packaged
from synthcity.market.calendar.events.outlook import Outlook, packaged_responses
from synthcity.market.store import Store, open_store
from synthcity.market.store import calendar as calendars
from synthcity.market.store.price_store import PriceStore
from synthcity.market.store.series import SIMULATED
from synthcity.market.times import parse_time
from tests.market.calendar.events.factories import event
from tests.market.factories import make_bars

DECEMBER = parse_time("2026-12-01T13:30")


def test_a_store_without_one_has_the_packaged_calendar(tmp_path: Path):
    assert Store(tmp_path / "none").calendar() == packaged()


def test_a_stores_own_lies_over_the_packaged_one_and_grows(tmp_path: Path):
    store = open_store(tmp_path / "store")
    store.extend_calendar([event(DECEMBER)])
    store.extend_calendar([event(DECEMBER + 86_400)])
    assert store.calendar() == packaged().extended([event(DECEMBER), event(DECEMBER + 86_400)])
    assert store.list_series() == [], "it is no series"


def test_a_damaged_one_is_refused_with_its_line_and_stays(tmp_path: Path):
    store = Store(tmp_path)
    store.extend_calendar([event(DECEMBER)])
    path = tmp_path / calendars.CALENDAR
    path.write_text(path.read_text().replace("cpi", "cpl"))
    for act in (store.calendar, lambda: store.extend_calendar([event(DECEMBER)])):
        with pytest.raises(ConfigError, match=r"calendar\.csv, line 2: unknown kind 'cpl'.*delete the file"):
            act()
    assert "cpl" in path.read_text()


def test_a_write_that_fails_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    store = Store(tmp_path)
    store.extend_calendar([event(DECEMBER)])

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(calendars, "atomic_write", full)
    with pytest.raises(DataError, match=r"No space left on device.*nothing changed"):
        store.extend_calendar([event(DECEMBER + 60)])
    assert store.calendar() == packaged().extended([event(DECEMBER)])


def test_a_store_elsewhere_keeps_none(tmp_path: Path):
    store = Store(tmp_path)
    assert PriceStore.calendar(store) == packaged()
    with pytest.raises(ConfigError, match="keeps no calendar of its own"):
        PriceStore.extend_calendar(store, [event(DECEMBER)])


def test_real_prices_come_with_an_outlook_and_simulated_ones_without(tmp_path: Path):
    store = Store(tmp_path)
    for venue in ("binance", SIMULATED):
        store.append("BTC", venue, 300, make_bars(3))
    real, simulated = (store.load_market(["BTC"], 300, venue=venue) for venue in ("binance", SIMULATED))
    assert real.foresight == Outlook(calendar=packaged(), responses=packaged_responses())
    history = real.as_of(DECEMBER)
    minutes = np.array([parse_time("2025-09-11T12:30")])
    assert history.effect("BTC")(minutes)[0] > 4
    assert (real.until(DECEMBER).foresight, simulated.foresight) == (real.foresight, None)
    assert simulated.as_of(DECEMBER).effect("BTC") is None

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from synthcity.errors import ConfigError, DataError
from synthcity.market.bars import Bars
from synthcity.market.calendar.events.event import Kind
from synthcity.market.calendar.events.outlook import packaged_responses
from synthcity.market.store import Store
from synthcity.market.store.price_store import PriceStore
from synthcity.market.store.responses import RESPONSES, learn_from
from synthcity.market.store.series import SIMULATED
from synthcity.market.times import parse_time
from tests.market.calendar.events.factories import event
from tests.market.calendar.events.test_response import RESPONSES as EDITION

START, DAYS = parse_time("2026-01-05"), 120
NIGHTS = [START + day * 86_400 + 21 * 3600 for day in range(14, DAYS, 15)]
END = START + DAYS * 86_400


def _bars(seed: int, nights: list[int]) -> Bars:
    """A walk that moves five times as much in the first five minutes after each of ``nights``."""
    time = START + 300 * np.arange(DAYS * 288, dtype=np.int64)
    size = np.where(np.isin(time, nights), 5.0, 1.0)
    close = 100 * np.exp(np.cumsum(1e-3 * size * np.random.default_rng(seed).standard_normal(len(time))))
    return Bars(time, close, close, close, close, np.ones(len(time)), 300)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "store")
    store.append("NVDAX", "hyperliquid", 300, _bars(1, NIGHTS))
    store.append("TSLAX", "hyperliquid", 300, _bars(2, []))
    store.append("TSLAX", SIMULATED, 300, _bars(3, NIGHTS))
    return store


def test_earnings_of_an_operators_calendar_are_learned_for_their_asset_and_used(store: Store):
    store.extend_calendar(event(time, Kind.EARNINGS, asset="NVDAX") for time in [*NIGHTS, END + 86_400])
    edition = learn_from(store, END)
    assert edition.num_events[Kind.EARNINGS] == len(NIGHTS)
    assert edition.own[Kind.EARNINGS].keys() == {"NVDAX"}
    store.keep_responses(edition)
    assert store.responses() == (*packaged_responses(), edition)
    coming = np.array([END + 86_400])
    expected = {asset: store.outlook({"hyperliquid"}).effect(asset, END)(coming)[0] for asset in ("NVDAX", "TSLAX")}
    assert expected["NVDAX"] > 2
    assert expected["TSLAX"] == 1
    assert store.outlook({"hyperliquid"}).effect("NVDAX", END - 1)(coming)[0] == 1, "not learned yet"


def test_editions_add_up_and_one_of_the_same_time_takes_the_place_of_the_other(tmp_path: Path):
    store = Store(tmp_path)
    for until in (EDITION.until, EDITION.until + 60, EDITION.until):
        store.keep_responses(replace(EDITION, until=until))
    assert [one.until for one in store.responses() if one not in packaged_responses()] == [
        EDITION.until,
        EDITION.until + 60,
    ]


@pytest.mark.parametrize(
    "text", ["", "{}", "[1]", '[{"until": 1}]', "[" * 10_000, EDITION.plain() | {"pooled": {"cpi": [1.0]}}]
)
def test_what_is_damaged_is_refused_with_the_remedy(tmp_path: Path, text: object):
    (tmp_path / RESPONSES).write_text(text if isinstance(text, str) else json.dumps([text]))
    with pytest.raises(ConfigError, match=r"responses\.json is damaged .*--learn"):
        Store(tmp_path).responses()


def test_nothing_is_learned_without_real_bars_or_kept_elsewhere(tmp_path: Path):
    store = Store(tmp_path)
    store.append("BTC", SIMULATED, 300, _bars(0, []))
    with pytest.raises(DataError, match="holds no real 5m bars"):
        learn_from(store, END)
    assert PriceStore.responses(store) == packaged_responses()
    with pytest.raises(ConfigError, match="keeps nothing that was learned"):
        PriceStore.keep_responses(store, EDITION)

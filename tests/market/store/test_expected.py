from __future__ import annotations

from pathlib import Path

import pytest

from synthcity.errors import ConfigError
from synthcity.market.store import Store
from synthcity.market.store.expected import Expected
from tests.market.calendar.events.factories import event

DECEMBER = 1_796_131_800


def test_a_new_calendar_is_found_within_a_minute_and_a_damaged_one_costs_nothing(tmp_path: Path):
    store, now = Store(tmp_path), [0.0]
    expected = Expected(store, {"binance"}, monotonic=lambda: now[0])
    before = expected.latest
    store.extend_calendar([event(DECEMBER)])
    assert expected.latest is before, "not read at every prompt"
    now[0] = 61.0
    assert event(DECEMBER) in expected.latest.calendar.dated
    (tmp_path / "calendar.csv").write_text("nonsense")
    now[0] = 122.0
    assert event(DECEMBER) in expected.latest.calendar.dated, "the last sound one"
    (tmp_path / "calendar.csv").unlink()
    (tmp_path / "calendar.csv").symlink_to("x" * 300)
    now[0] = 183.0
    assert event(DECEMBER) in expected.latest.calendar.dated, "nor does a disk that fails"
    (tmp_path / "calendar.csv").unlink()
    (tmp_path / "calendar.csv").write_text("nonsense")
    with pytest.raises(ConfigError, match=r"calendar\.csv, line 1"):
        Expected(store, {"binance"})


def test_nothing_is_expected_of_simulated_prices(tmp_path: Path):
    assert Expected(Store(tmp_path), {"simulated"}).latest is None

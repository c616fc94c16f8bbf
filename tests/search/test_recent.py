from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from synthcity.errors import ConfigError, DataError
from synthcity.market.store import Store
from synthcity.search.config import parse_config
from tests.market.factories import START, make_bars

DAY = 86400


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty days and a half of BTC and ETH, ten of HYPE."""
    folder = tmp_path_factory.mktemp("store")
    bars = make_bars(60 * 288 + 144)
    for asset in ("BTC", "ETH"):
        Store(folder).append(asset, "binance", 300, bars)
    Store(folder).append("HYPE", "hyperliquid", 300, bars.slice(50 * 288, len(bars)))
    return folder


def sweep(store: Path | None, periods: object = "last 60 days", **data: object) -> dict[str, Any]:
    path = {} if store is None else {"path": str(store)}
    return {"competition": "crypto-24h", "data": {**path, "periods": periods, **data}}


def test_a_span_is_frozen_as_dates_and_assets_that_reach_so_far(store, caplog):
    config = parse_config(sweep(store))
    assert config.data.assets == ("BTC", "ETH")
    assert (config.data.periods.train.start, config.data.periods.test.end) == (START, START + 60 * DAY)
    assert "without SOL, XRP, HYPE, whose prices do not reach so far" in caplog.text
    frozen = config.to_dict()
    assert frozen["data"]["periods"]["test"] == ["2025-02-20 00:00", "2025-03-02 00:00"]
    assert parse_config(frozen) == config


def test_a_longer_store_changes_no_frozen_run(store, tmp_path):
    Store(tmp_path).append("BTC", "binance", 300, make_bars(70 * 288).slice(0, 60 * 288))
    frozen = parse_config(sweep(tmp_path)).to_dict()
    Store(tmp_path).append("BTC", "binance", 300, make_bars(70 * 288))
    assert parse_config(frozen).to_dict() == frozen
    assert parse_config(sweep(tmp_path)).data.periods.test.end == START + 70 * DAY


def test_settings_name_a_span_too(store):
    config = parse_config(
        sweep(store, {"train": [0, 1], "validation": [1, 2], "test": [2, 3]}),
        [
            "data.periods=last 8 weeks",
            "data.assets=[BTC]",
        ],
    )
    assert config.data.periods.train.start == START + 4 * DAY


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        (
            {"periods": "last 12 months"},
            DataError,
            "has BTC from 2025-01-01 00:00 to .* a shorter span",
        ),
        ({"assets": ["BTC", "HYPE"]}, DataError, "has HYPE from 2025-02-20 00:00"),
        ({"assets": ["SOL"]}, DataError, "holds no 300-second bars of SOL"),
        ({"periods": "the last 12 months"}, ConfigError, "is no span; write e.g. last 12 months"),
        ({"source": "simulated"}, ConfigError, "is counted from a store; set data.path, or write dates"),
    ],
)
def test_what_cannot_be_counted_is_a_sentence(store, changes, error, message):
    with pytest.raises(error, match=message):
        parse_config(sweep(store, **changes))

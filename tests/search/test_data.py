from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synthcity.errors import ConfigError, DataError, SynthcityError
from synthcity.market.columns import bars_of_closes
from synthcity.market.simulated import SimulatedConfig, SimulatedMarket
from synthcity.market.store import Store
from synthcity.search.config import SearchConfig, parse_config
from synthcity.search.data import load_data

DAY = 86400
PERIODS = {
    "train": ["2025-01-10", "2025-01-20"],
    "validation": ["2025-01-20", "2025-01-25"],
    "test": ["2025-01-25", "2025-01-30"],
}


def config(*settings: str, **data: Any) -> SearchConfig:
    plain = {"source": "simulated", "periods": PERIODS, "assets": ["BTC", "ETH"], "simulated": {"days": 30}, **data}
    return parse_config({"competition": "crypto-24h", "data": plain}, settings)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("store")
    market = SimulatedMarket(SimulatedConfig(days=30)).market(["BTC"], resolution=300)
    Store(folder).append("BTC", "simulated", 300, market["BTC", 300])
    return folder


def test_nothing_of_the_test_period_reaches_the_dataset() -> None:
    data = load_data(config())
    end = data.periods.validation.end
    assert all(table.time[-1] <= end for table in data.dataset.tables.values())
    assert max(bars.observed[-1] for bars in data.market.values()) > end
    changed = load_data(config("data.periods.test=[2025-01-26, 2025-01-29]"))
    assert np.array_equal(changed.dataset.validation["BTC"], data.dataset.validation["BTC"])


def test_prompts_keep_a_horizon_between_periods() -> None:
    data = load_data(config())
    seen, fresh, test = data.validation_prompts(fresh=False), data.validation_prompts(fresh=True), data.test_prompts()
    starts = [{prompt.start_time for prompt in prompts} for prompts in (seen, fresh, test)]
    assert not starts[0] & starts[1]
    for prompts, period in (
        (seen, data.periods.validation),
        (fresh, data.periods.validation),
        (test, data.periods.test),
    ):
        assert min(prompt.start_time for prompt in prompts) >= period.start
        assert max(prompt.start_time + prompt.time_length for prompt in prompts) <= period.end
    table = data.dataset.tables["BTC"]
    assert starts[0] == {int(time) for time in table.time[data.dataset.validation["BTC"]]}
    assert int(table.time[data.dataset.train["BTC"]].max()) + DAY <= data.periods.train.end


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        (["competition=crypto-25h"], ConfigError, "did you mean 'crypto-24h'"),
        (["rules='2026-06'"], ConfigError, "unknown rules '2026-06'"),
        (["data.assets=[BTC, ETHH]"], ConfigError, "data.assets: unknown asset 'ETHH'; did you mean 'ETH'"),
        (["data.assets=[BTC, BTC]"], ConfigError, "names an asset twice"),
        (["data.validation_every=100s"], ConfigError, "data.validation_every is 100 seconds; it must be a multiple"),
        (["data.periods.test=[2025-01-25, 2025-01-25T10:00]"], ConfigError, "shorter than one horizon"),
        (["data.periods.train=[2025-01-01, 2025-01-05]"], DataError, "no complete train window"),
        (["data.periods.test=[2025-02-25, 2025-02-28]"], ConfigError, "outside the simulated days"),
        (["data.drawn_minutes=true"], ConfigError, "drawn_minutes: simulated prices have every minute"),
    ],
)
def test_nonsense_is_one_sentence(settings: list[str], error: type[SynthcityError], message: str) -> None:
    with pytest.raises(error, match=message) as caught:
        load_data(config(*settings))
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        (["data.assets=[ETH]"], DataError, "ETH"),
        (["data.path=/nowhere/at/all"], DataError, "there is no price store at '/nowhere/at/all'"),
        (["data.periods.test=[2025-01-25, 2025-03-30]"], DataError, "BTC has prices from .* but data.periods.test"),
        (
            [
                "data.periods.train=[2024-10-01, 2024-12-01]",
                "data.periods.validation=[2024-12-01, 2025-01-10]",
                "data.periods.test=[2025-01-10, 2025-01-29]",
            ],
            DataError,
            "nothing of it lies in the train period",
        ),
        (["data.drawn_minutes=true"], ConfigError, "its steps are five minutes already, .* leave it false"),
    ],
)
def test_a_store_that_does_not_serve(
    store: Path, settings: list[str], error: type[SynthcityError], message: str
) -> None:
    with pytest.raises(error, match=message):
        load_data(config(*settings, source="store", path=str(store), assets=["BTC"]))


def test_reads_a_store(store: Path) -> None:
    data = load_data(config(source="store", path=str(store), assets=["BTC"]))
    same = load_data(config(assets=["BTC"]))
    assert np.array_equal(data.market["BTC", 300].close, same.market["BTC", 300].close)


def test_a_bundle_is_told_whose_prices_it_learned_from(store: Path, tmp_path: Path) -> None:
    assert load_data(config(assets=["BTC"])).facts.is_simulated
    assert load_data(config(source="store", path=str(store), assets=["BTC"])).facts.is_simulated, "so is a copy of them"
    Store(tmp_path).append("BTC", "binance", 300, load_data(config(assets=["BTC"])).market["BTC", 300])
    facts = load_data(config(source="store", path=str(tmp_path), assets=["BTC"])).facts
    assert facts.venues == ("binance",)
    assert not facts.is_simulated
    assert (facts.competition, facts.rules, facts.assets) == ("crypto-24h", "2026-09", ("BTC",))
    assert [str(period)[:10] for period in facts.periods.values()] == ["2025-01-10", "2025-01-20", "2025-01-25"]


def test_networks_are_told_of_the_calendar_of_real_prices_alone(store: Path, tmp_path: Path) -> None:
    Store(tmp_path).append("BTC", "binance", 300, Store(store).load("BTC", 300))
    told = {}
    for name, folder, settings in (
        ("real", tmp_path, []),
        ("off", tmp_path, ["data.calendar=false"]),
        ("made", store, []),
    ):
        dataset = load_data(config(*settings, source="store", path=str(folder), assets=["BTC"])).dataset
        told[name] = dataset.tables["BTC"].future[:, -1] if dataset.spec.calendar else None
    assert told["off"] is told["made"] is None
    assert 0 < np.count_nonzero(told["real"]) < 0.2 * len(told["real"]), "releases of that time"


def test_networks_alone_learn_from_minutes_that_are_drawn_before_the_first(tmp_path: Path) -> None:
    market = SimulatedMarket(SimulatedConfig(days=30))
    first = int(np.datetime64("2025-01-16", "s").astype(int))
    for asset in ("BTC", "ETH"):
        minutes, coarse = market.bars(asset, 60), market.bars(asset, 300)
        Store(tmp_path).append(asset, "binance", 60, minutes.slice(int(np.searchsorted(minutes.time, first)), 99_999))
        Store(tmp_path).append(asset, "binance" if asset == "BTC" else "okx", 300, coarse)
    settings = {"source": "store", "path": str(tmp_path), "assets": ["BTC", "ETH"], "periods": PERIODS}
    plain, drawn = (
        load_data(parse_config({"competition": "crypto-1h", "data": {**settings, "drawn_minutes": is_drawn}}))
        for is_drawn in (False, True)
    )
    assert drawn.notes == (
        "Networks also learn from minutes that are drawn between five-minute bars, and nothing is scored on those: "
        "BTC 2025-01-10 00:00 to 2025-01-16 00:01.",
        "Prices begin after the train period does, and networks learn from later days alone: ETH 2025-01-16 00:01.",
    ), "ETH has five-minute bars of another venue alone"
    assert drawn.facts.drawn_minutes
    assert not plain.facts.drawn_minutes
    (note,) = plain.notes
    assert note.endswith("from later days alone: BTC 2025-01-16 00:01; ETH 2025-01-16 00:01.")
    table, own = drawn.dataset.tables["BTC"], plain.dataset.tables["BTC"]
    starts = table.time[drawn.dataset.train["BTC"]]
    assert starts[0] == drawn.periods.train.start
    assert starts[-1] == own.time[plain.dataset.train["BTC"]][-1]
    np.testing.assert_array_equal(table.price[-len(own) :], own.price)
    np.testing.assert_array_equal(drawn.dataset.tables["ETH"].price, plain.dataset.tables["ETH"].price)
    for asset in ("BTC", "ETH"):
        np.testing.assert_array_equal(drawn.market[asset, 60].close, plain.market[asset, 60].close)


def test_an_empty_store(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no bars"):
        load_data(config(source="store", path=str(tmp_path)))


def test_where_a_market_closes_networks_and_baselines_are_asked_the_same() -> None:
    plain = {
        "source": "simulated",
        "assets": ["NVDAX", "XAU"],
        "validation_every": "1h",
        "periods": PERIODS,
        "simulated": {"days": 30},
    }
    data = load_data(parse_config({"competition": "com-equ-24h", "data": plain}))
    for asset, table in data.dataset.tables.items():
        asked = {p.start_time for p in data.validation_prompts(fresh=False) if p.asset == asset}
        scored = {t for t in asked if np.isfinite(data.market.realised(asset, np.array([t + DAY]), 300)[0])}
        windows = {int(time) for time in table.time[data.dataset.validation[asset]]}
        assert scored == windows
        assert len(windows) > 5


def test_a_period_without_fresh_prompts_is_refused_before_training() -> None:
    with pytest.raises(DataError, match="no prompt of 86400 s fits between 2025-01-24 12:00:00"):
        load_data(config(validation_every="9d"))


def test_an_asset_whose_test_cannot_be_scored_is_refused_before_training(monkeypatch: pytest.MonkeyPatch) -> None:
    from synthcity.search import data as module

    end = load_data(config()).periods.validation.end
    real = module.realised_prices

    def no_late_ether(market: Any, prompt: Any) -> Any:
        return None if prompt.asset == "ETH" and prompt.start_time >= end else real(market, prompt)

    monkeypatch.setattr(module, "realised_prices", no_late_ether)
    with pytest.raises(DataError, match="ETH has no test prompt whose last price was observed"):
        load_data(config())


def test_from_closes_alone_no_network_reads_ranges_and_it_is_told(store: Path, tmp_path: Path) -> None:
    bars = Store(store).load("BTC", 300)
    Store(tmp_path).append("BTC", "synth", 300, bars_of_closes(bars.time, bars.close, 300))
    data = load_data(config(source="store", path=str(tmp_path), assets=["BTC"]))
    assert data.dataset.spec.range_scales == ()
    assert data.notes == (
        "The prices of BTC are closes alone, so no network reads the high and low of a bar, here and when it answers.",
    )
    with_ranges = load_data(config(assets=["BTC"]))
    assert with_ranges.dataset.spec.range_scales
    assert with_ranges.notes == ()

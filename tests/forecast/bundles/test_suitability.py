"""Bundles held against what is asked of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from synthcity.errors import ConfigError
from synthcity.forecast.baselines import baseline
from synthcity.forecast.bundles.facts import SIMULATED
from synthcity.forecast.bundles.suitability import (
    covered,
    doubts,
    facts_of,
    is_simulated,
    learned_from,
    refuse_simulated,
    refuse_uncovered,
    refuse_useless,
)
from synthcity.forecast.dispatch import Dispatch, Route
from synthcity.forecast.mixing import Mix
from synthcity.forecast.named import Named
from synthcity.forecast.quantise import Quantised
from synthcity.market.times import parse_time
from synthcity.sn50.competitions import get_rules
from tests.forecast.bundles.test_facts import bundle, facts

DAILY, HOURLY = (86400, 300), (3600, 60)


def only(*assets: str) -> Dispatch:
    """Stands for a network that knows these assets over a day."""
    return Dispatch([Route(assets=assets, time_length=86400, time_increment=300)], [baseline("fhs")])


def test_simulated_prices_are_refused_where_money_is_at_stake(tmp_path: Path):
    made_up = bundle(tmp_path / "a", facts(SIMULATED, "binance"))
    with pytest.raises(ConfigError, match="a was trained on SIMULATED prices, so it is worth nothing to validators"):
        refuse_simulated(str(made_up))
    refuse_simulated(str(bundle(tmp_path / "b", facts("binance"))))
    refuse_simulated("fhs")
    refuse_simulated("nowhere")  # whoever loads it says so better
    assert is_simulated(facts_of(str(made_up)))


def test_doubts_are_told(tmp_path: Path):
    assert doubts("fhs") == []
    assert doubts(str(bundle(tmp_path / "a", facts("binance", rules=get_rules().date)))) == []
    (made_up,) = doubts(str(bundle(tmp_path / "b", facts(SIMULATED, rules=get_rules().date))))
    assert "b was trained on SIMULATED prices: its forecasts of real ones are worth nothing" in made_up
    unknown, other_rules = doubts(str(bundle(tmp_path / "c", facts(rules="2026-05"))))
    assert "does not tell whose prices it was trained on (unknown" in unknown
    assert f"by the rules of 2026-05, not by those of {get_rules().date}" in other_rules
    assert doubts(str(bundle(tmp_path / "d", facts("files", rules="2026-05"))), get_rules("2026-05")) == []


@pytest.mark.parametrize(
    ("start", "end", "overlaps"),
    [
        ("2025-01-15", None, True),
        ("2025-03-19", None, True),
        ("2025-03-20", None, False),
        ("2024-11-01", "2025-01-01", False),
        ("2024-11-01", "2025-01-02", True),
    ],
)
def test_days_that_taught_a_bundle_prove_nothing(tmp_path: Path, start: str, end: str | None, overlaps: bool):
    name = str(bundle(tmp_path / "a", facts("binance")))
    told = learned_from(name, parse_time(start), None if end is None else parse_time(end))
    assert (told is not None) == overlaps
    if told:
        assert "LEARNED from 2025-01-01 00:00 to 2025-03-20 00:00" in told
        assert told.endswith("begin on 2025-03-20 00:00 or later")
    assert learned_from("fhs", 0) is None


def test_what_another_competition_learned_from_teaches_nothing_about_this_one(tmp_path: Path):
    hour = str(bundle(tmp_path / "a", replace(facts("binance"), competition="crypto-1h")))
    assert learned_from(hour, 0, competition="crypto-24h") is None
    assert learned_from(hour, 0, competition="crypto-1h") is not None
    unknown = str(bundle(tmp_path / "b", replace(facts("binance"), competition=None)))
    assert learned_from(unknown, 0, competition="crypto-24h") is not None


def test_who_wraps_a_forecaster_covers_what_it_covers():
    asked = ["BTC", "ETH", "SOL"]
    assert covered(baseline("fhs"), DAILY, asked) == asked
    assert covered(only("BTC", "ETH"), DAILY, asked) == ["BTC", "ETH"]
    assert covered(only("BTC"), HOURLY, asked) == []
    for wrapped in (Quantised(only("BTC")), Named(only("BTC"), "x"), Mix([only("BTC"), baseline("fhs")], [0.5, 0.5])):
        assert covered(wrapped, DAILY, asked) == ["BTC"]
    assert covered(Mix([only("BTC"), only("ETH")], [0.5, 0.5]), DAILY, asked) == []
    routes = [Route.parse("crypto-24h:BTC"), Route.parse("crypto-24h")]
    assert covered(Dispatch(routes, [baseline("fhs"), only("ETH")]), DAILY, asked) == ["BTC", "ETH"]


def test_what_was_not_made_for_it_is_refused_with_what_it_was_made_for(tmp_path: Path):
    name = str(bundle(tmp_path / "a", facts("binance")))
    refuse_uncovered(name, only("BTC", "ETH"), "crypto-24h", DAILY, ["ETH", "BTC"])
    with pytest.raises(ConfigError, match=r"made for BTC of crypto-24h, not for SOL; name only what it knows: BTC$"):
        refuse_uncovered(name, only("BTC"), "crypto-24h", DAILY, ["BTC", "SOL"])
    with pytest.raises(ConfigError, match=r"not made for crypto-1h of BTC, but for crypto-24h of BTC, ETH; ask it"):
        refuse_uncovered(name, only("BTC"), "crypto-1h", HOURLY, ["BTC"])


def test_who_would_answer_nothing_is_refused():
    refuse_useless("x", only("BTC"), ["BTC", "SOL"])
    with pytest.raises(ConfigError, match="x was made for no prompt of ETH, SOL that the network sends"):
        refuse_useless("x", only("BTC"), ["ETH", "SOL"])

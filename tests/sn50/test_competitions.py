from __future__ import annotations

import copy
import json
from importlib import resources
from typing import Any

import pytest

from synthcity.errors import ConfigError
from synthcity.sn50.competitions import competition_of, get_competition, get_rules, parse_rules, rule_dates


def packaged(date: str = "2026-09") -> dict[str, Any]:
    text = (resources.files("synthcity.sn50") / "rules" / f"{date}.json").read_text(encoding="utf-8")
    data: dict[str, Any] = json.loads(text)
    return data


def test_the_newest_rules_are_the_default() -> None:
    assert rule_dates() == ("2026-05", "2026-09")
    assert get_rules() is get_rules("2026-09")


@pytest.mark.parametrize("date", rule_dates())
def test_every_file_states_its_own_date_and_shares_add_up(date: str) -> None:
    rules = get_rules(date)
    assert rules.date == date
    assert sum(competition.weight for competition in rules.competitions.values()) == pytest.approx(1)
    for competition in rules.competitions.values():
        unlisted = [asset for asset in competition.assets if asset not in rules.coefficients]
        assert unlisted == []


@pytest.mark.parametrize(
    ("name", "points", "num_assets", "window", "beta", "extra"),
    [("crypto-24h", 289, 5, 10, -0.15, 60), ("com-equ-24h", 289, 8, 10, -0.15, 60), ("crypto-1h", 61, 5, 5, -0.3, 0)],
)
def test_rules_of_september(name: str, points: int, num_assets: int, window: int, beta: float, extra: int) -> None:
    competition = get_competition(name)
    assert (competition.name, competition.num_points, len(competition.assets)) == (name, points, num_assets)
    assert (competition.window_days, competition.beta) == (window, beta)
    assert competition.deadline_extra_seconds == extra
    assert competition.bucket_seconds == (600 if name == "crypto-1h" else 3600)


@pytest.mark.parametrize(
    ("name", "block", "points", "window", "beta"),
    [
        ("crypto-24h", "low", 289, 10, -0.1),
        ("com-equ-24h", "low", 289, 10, -0.1),
        ("low", "low", 289, 10, -0.1),
        ("crypto-1h", "high", 61, 3, -0.2),
        ("high", "high", 61, 3, -0.2),
    ],
)
def test_rules_of_may_select_by_length(name: str, block: str, points: int, window: int, beta: float) -> None:
    competition = get_competition(name, get_rules("2026-05"))
    assert (competition.name, competition.num_points) == (block, points)
    assert (competition.window_days, competition.beta, competition.weight) == (window, beta, 0.5)
    assert competition.deadline_extra_seconds == 60
    assert competition.volatility_blocks == ()


def test_kinds_follow_the_networks_names() -> None:
    kinds = {interval.name: interval.kind for interval in get_competition("crypto-1h").intervals}
    assert kinds["5min"] == "change"
    assert kinds["0_5min_gaps"] == "first_change"
    assert kinds["60min_abs"] == "price"
    assert len(kinds) == 18


def test_volatility_weights() -> None:
    blocks = {block.seconds: block.weight for block in get_competition("crypto-1h").volatility_blocks}
    assert blocks == {3600: 5.25 / 3, 900: 5.25 / 12, 300: 5.25 / 36}


@pytest.mark.parametrize("date", rule_dates())
def test_an_index_has_one_coefficient_under_both_names(date: str) -> None:
    rules = get_rules(date)
    assert rules.coefficient("SPYX") == rules.coefficient("SP500") == 3.437935601155441
    assert rules.coefficient("BTC") == 1
    assert rules.coefficient("NEW") == 1


def test_spcx_came_later() -> None:
    assert get_rules("2026-05").coefficient("SPCX") == 1
    assert get_rules("2026-09").coefficient("SPCX") == 0.4329342627683478


@pytest.mark.parametrize(
    ("name", "date", "nearest"),
    [("crypto24h", None, "crypto-24h"), ("com-eq-24h", None, "com-equ-24h"), ("hihg", "2026-05", "high")],
)
def test_an_unknown_competition_names_the_nearest(name: str, date: str | None, nearest: str) -> None:
    with pytest.raises(ValueError, match=f"unknown competition '{name}'; did you mean '{nearest}'"):
        get_competition(name, get_rules(date))


def test_unknown_rules_name_the_nearest() -> None:
    with pytest.raises(ValueError, match="unknown rules '2026-04'; did you mean '2026-0"):
        get_rules("2026-04")


def test_a_new_asset_and_a_new_number_are_data() -> None:
    data = packaged()
    data["competitions"]["crypto-24h"]["assets"].append("DOGE")
    data["competitions"]["crypto-24h"]["beta"] = -1
    data["coefficients"]["DOGE"] = 2
    rules = parse_rules(data, where="new")
    assert rules.coefficient("DOGE") == 2
    assert rules.competitions["crypto-24h"].assets[-1] == "DOGE"
    assert rules.competitions["crypto-24h"].beta == -1


@pytest.mark.parametrize(
    ("path", "value", "cause"),
    [
        (("competitons",), {}, "unknown key 'competitons'; did you mean 'competitions'"),
        (("coefficients", "BTC"), "1", "here: coefficients.BTC must be a number, got '1'"),
        (("coefficients", "BTC"), True, "coefficients.BTC must be a number, got True"),
        (("digit_rule",), "none", "digit_rule: unknown value 'none'; valid: characters, significant"),
        (("asset_aliases", "SPYX"), "SP50", "unknown target 'SP50'; did you mean 'SP500'"),
        (("competition_aliases", "day"), "crypto", "competition_aliases 'day'"),
        (("prompt_score", "cap_at_percentile"), 1, "prompt_score.cap_at_percentile must be true or false, got 1"),
        (("competitions", "crypto-1h"), 3, "competitions.crypto-1h must hold keys and values, got 3"),
        (("competitions", "crypto-1h", "assets"), "BTC", "competitions.crypto-1h.assets must be a list"),
        (("competitions", "crypto-1h", "time_length"), 3601, "time_length 3601 is no multiple of 60"),
        (("competitions", "crypto-1h", "intervals", "odd"), 90, "odd of 90 s is no multiple of 60 s"),
        (("competitions", "crypto-1h", "intervals", "long"), 7200, "long of 7200 s"),
        (("competitions", "crypto-1h", "intervals", "1min"), "60", "seconds must be a whole number, got '60'"),
        (("competitions", "crypto-1h", "volatility_blocks", "v"), {"seconds": 60}, "weight is missing"),
    ],
)
def test_damaged_data_is_refused(path: tuple[str, ...], value: object, cause: str) -> None:
    data = copy.deepcopy(packaged())
    inner = data
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    with pytest.raises(ConfigError) as caught:
        parse_rules(data, where="here")
    assert cause in str(caught.value)


def test_a_missing_key_is_refused() -> None:
    data = packaged()
    del data["invalid_total"]
    with pytest.raises(ConfigError, match="here: the key invalid_total is missing"):
        parse_rules(data, where="here")


@pytest.mark.parametrize(
    ("asset", "time_length", "date", "name"),
    [
        ("BTC", 86400, "2026-09", "crypto-24h"),
        ("SP500", 86400, "2026-09", "com-equ-24h"),
        ("SPYX", 86400, "2026-09", "com-equ-24h"),
        ("HYPE", 3600, "2026-09", "crypto-1h"),
        ("XAU", 3600, "2026-09", "crypto-1h"),
        ("XAU", 86400, "2026-05", "low"),
        ("XAU", 3600, "2026-05", "high"),
    ],
)
def test_asset_and_length_tell_the_competition(asset: str, time_length: int, date: str, name: str) -> None:
    assert competition_of(asset, time_length, get_rules(date)).name == name


def test_a_length_that_nobody_asks_for_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no competition asks for 60 s; .* have \[3600, 86400\]"):
        competition_of("BTC", 60)

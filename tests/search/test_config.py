from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from synthcity.errors import ConfigError
from synthcity.nets.config import RECIPE
from synthcity.search.config import BudgetConfig, load_config, parse_config

PERIODS = {
    "train": ["2025-01-01", "2025-03-01"],
    "validation": ["2025-03-01", "2025-04-01"],
    "test": ["2025-04-01", "2025-05-01"],
}


def sweep(**changes: Any) -> dict[str, Any]:
    return {"competition": "crypto-24h", "data": {"source": "simulated", "periods": PERIODS}, **changes}


def test_round_trip_through_plain_data() -> None:
    config = parse_config(sweep(search={"time_budget": "20m", "arms": {"tpe": {"share": 1}}}))
    text = yaml.safe_dump(config.to_dict())
    assert parse_config(yaml.safe_load(text)) == config
    assert config.search.time_budget == 1200


def test_settings_win_over_the_file(tmp_path: Path) -> None:
    path = tmp_path / "sweep.yaml"
    path.write_text(yaml.safe_dump(sweep()))
    config = load_config(
        path, ["search.trials=7", "data.assets=[BTC]", "output=elsewhere", "data.periods.test=[2025-04-02, 2025-04-20]"]
    )
    assert (config.search.trials, config.data.assets, config.output) == (7, ("BTC",), "elsewhere")
    assert config.data.periods.test.end - config.data.periods.test.start == 18 * 86400


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["search.trails=3"], "unknown key 'search.trails'; did you mean 'search.trials'"),
        (["trials=3"], "unknown key 'trials'; did you mean 'search.trials'"),
        (["data.periods.validation=[2025-02-01, 2025-04-01]"], "validation .* begins before train"),
        (["data.periods.test=[2025-05-01, 2025-04-01]"], "2025-05-01"),
        (["data.periods.test=2025-05-01"], "2025"),
        (["data.source=store"], "data.path must name the price store"),
        (["data.source=stroe"], "did you mean 'store'"),
        (["data.assets=[]"], "at least one asset"),
        (["name=../up"], "name must be a plain folder name"),
        (["search.arms={}"], "at least one proposer"),
        (["search.arms={}", "search.candidates=[]"], "at least one proposer"),
        (["search.candidates=lstm_gbm"], "search.candidates must be a list of presets and networks"),
        (["search.candidates=[7]"], "search.candidates must be a list of presets and networks"),
        (["search.arms={tpe: {share: 0.2, floor: 0.5}}"], "search.arms.tpe needs floor <= share <= ceiling"),
        (["search.arms={tpe: {share: 0.9, floor: 0.9}, random: {share: 0.9, floor: 0.9}}"], "add up to more than 1"),
        (["search.arms={tpe: {share: 0.1, ceiling: 0.2}}"], "add up to less than 1"),
    ],
)
def test_refuses_nonsense(tmp_path: Path, settings: list[str], message: str) -> None:
    path = tmp_path / "sweep.yaml"
    path.write_text(yaml.safe_dump(sweep()))
    with pytest.raises(ConfigError, match=message):
        load_config(path, settings)


def test_hand_written_candidates_may_stand_alone() -> None:
    network = {"blocks": [{"name": "tcn"}], "head": {"name": "sde"}}
    config = parse_config(sweep(search={"arms": {}, "candidates": ["lstm_gbm", network]}))
    assert config.search.candidates == ("lstm_gbm", network)
    assert parse_config(yaml.safe_load(yaml.safe_dump(config.to_dict()))) == config


@pytest.mark.parametrize(
    ("text", "line", "sentence"),
    [
        ("search: {trials: 0}", 6, "search.trials must be at least 1, got 0"),
        ("search:\n  trails: 3", 7, "unknown key 'search.trails'; did you mean 'search.trials'"),
        ("search: {time_budget: 4}", 6, "search.time_budget must be a duration with its unit, such as 4s, 4min or 4h"),
        ("search: {time_budget: 1e3}", 6, "such as 1000s, 1000min or 1000h, got 1000.0"),
        ("search: {trials: 1e20}", 6, "search.trials must be a whole number, got 1e+20"),
        ("search: {trials: 100000000000000000000}", 6, "search.trials must be at most"),
        ("search: {workers: 1000}", 6, "search.workers must be at most"),
        ("output: ''", 6, "output must be the name of a file or folder"),
    ],
)
def test_a_wrong_value_is_told_with_its_file_and_line(tmp_path: Path, text: str, line: int, sentence: str) -> None:
    path = tmp_path / "sweep.yaml"
    periods = (
        "{train: [2025-01-01, 2025-03-01], validation: [2025-03-01, 2025-04-01],\n  test: [2025-04-01, 2025-05-01]}"
    )
    path.write_text(f"competition: crypto-24h\ndata:\n  source: simulated\n  periods: {periods}\n{text}\n")
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert str(caught.value).startswith(f"{path}, line {line}: ")
    assert sentence in str(caught.value)


def test_a_date_that_is_none_has_its_line(tmp_path: Path) -> None:
    path = tmp_path / "sweep.yaml"
    spans = (
        "train: [2025-01-01, 2025-02-30]\n    validation: [2025-03-01, 2025-04-01]\n    test: [2025-04-01, 2025-05-01]"
    )
    for wrong in ("2025-02-30", "2025-03-01T25:00", "20250301", "1740787200000", "9999-01-01"):
        path.write_text(f"competition: x\ndata:\n  periods:\n    {spans.replace('2025-02-30', wrong)}\n")
        with pytest.raises(ConfigError) as caught:
            load_config(path)
        assert str(caught.value).startswith(f"{path}, line 4: ")
        assert wrong in str(caught.value)


def test_a_home_is_found_in_every_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    config = parse_config(
        sweep(), ["data.path=~/prices", "output=~/runs", "search.storage=~/points", "search.earlier=[~/runs/a]"]
    )
    assert (config.data.path, config.output, config.search.storage) == (
        "/home/me/prices",
        "/home/me/runs",
        "/home/me/points",
    )
    assert config.search.earlier == ("/home/me/runs/a",)
    assert parse_config(sweep(), ["search.storage=s3://bucket/~x"]).search.storage == "s3://bucket/~x"


def test_a_file_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read the sweep file"):
        load_config(tmp_path / "absent.yaml")
    broken = tmp_path / "broken.yaml"
    broken.write_text("a: [1\nb: 2\n")
    with pytest.raises(ConfigError, match="no valid YAML at line"):
        load_config(broken)
    broken.write_text("")
    with pytest.raises(ConfigError, match="must hold keys and values"):
        load_config(broken)


def test_what_a_clock_decides_cannot_repeat_exactly() -> None:
    shipped = Path(__file__).parents[2] / "configs" / "quickstart.yaml"
    with pytest.raises(ConfigError, match=r"set search\.time_budget to null"):
        load_config(shipped, ["search.deterministic=true"])
    assert load_config(shipped, ["search.deterministic=true", "search.time_budget=null"]).search.deterministic


def test_more_finalists_than_a_mix_can_weigh_are_refused() -> None:
    shipped = Path(__file__).parents[2] / "configs" / "quickstart.yaml"
    with pytest.raises(ConfigError, match=r"search\.finalists must be at most 9"):
        load_config(shipped, ["search.finalists=10"])


def test_research_beside_the_trials_takes_a_place_in_the_mix_and_no_clock_may_decide_it() -> None:
    shipped = Path(__file__).parents[2] / "configs" / "quickstart.yaml"
    assert load_config(shipped).search.research.rounds == 0
    assert load_config(shipped, ["search.research.rounds=1"]).search.asks_model
    both = ["search.research.rounds=1", "search.library=mine"]
    assert load_config(shipped, [*both, "search.finalists=7"]).search.research.trials == 4
    with pytest.raises(ConfigError, match=r"8 at most with search\.research, got 9: what it keeps takes a place"):
        load_config(shipped, ["search.research.rounds=1", "search.finalists=9"])
    with pytest.raises(
        ConfigError, match=r"7 at most with search\.library and search\.research, got 8: what each keeps"
    ):
        load_config(shipped, [*both, "search.finalists=8"])
    with pytest.raises(ConfigError, match=r"which research that ends with the trials cannot: set search\.research\."):
        load_config(shipped, ["search.research.rounds=1", "search.time_budget=null", "search.deterministic=true"])


def test_an_arm_with_a_dot_is_set_in_a_file_and_on_the_command_line(tmp_path: Path) -> None:
    path = tmp_path / "sweep.yaml"
    arms = {"tpe": {"share": 0.8}, "llm.refine": {"share": 0.2, "ceiling": 0.3}}
    path.write_text(yaml.safe_dump(sweep(search={"arms": arms})))
    settings = ["search.arms.llm.refine.ceiling=0.4", "search.arms.llm.structure.share=0.1", "llm.caps.usd_per_run=1"]
    config = load_config(path, settings)
    assert set(config.search.arms) == {"tpe", "llm.refine", "llm.structure"}
    assert (config.search.arms["llm.refine"].share, config.search.arms["llm.refine"].ceiling) == (0.2, 0.4)
    assert config.llm.caps.usd_per_run == 1.0
    assert parse_config(config.to_dict()) == config
    with pytest.raises(ConfigError, match="which a language model cannot"):
        load_config(path, ["search.deterministic=true"])


def test_a_trial_may_overrun_its_time_clearly_but_never_by_a_clock_that_must_not_decide() -> None:
    assert BudgetConfig(trial_time=60.0, rungs=4).max_rung_seconds == pytest.approx(45.0)
    assert BudgetConfig(rungs=4).max_rung_seconds is None
    assert BudgetConfig(trial_time=60.0, deterministic=True).max_rung_seconds is None


def test_the_parts_of_a_recipe_are_those_of_networks() -> None:
    assert parse_config(sweep(search={"recipe": list(RECIPE)})).search.recipe == tuple(RECIPE)
    with pytest.raises(ConfigError, match=r"search\.recipe"):
        parse_config(sweep(search={"recipe": ["stepps"]}))

from __future__ import annotations

from pathlib import Path

import pytest

from synthcity.errors import ConfigError
from synthcity.search.config import load_config, parse_config
from synthcity.search.handpicked import compose, handpicked_config

CONFIGS = Path(__file__).parents[2] / "configs"
OWN = {"blocks": [{"name": "tcn"}], "head": {"name": "sde"}}


def test_the_simulated_market_is_that_of_the_quickstart() -> None:
    assert handpicked_config(None, ["lstm_gbm"]).data == load_config(CONFIGS / "quickstart.yaml").data


def test_nobody_proposes_and_nobody_is_stopped_early() -> None:
    config = handpicked_config(CONFIGS / "sweep-1h.yaml", ["lstm_gbm", OWN], ["search.max_steps=7", "search.trials=90"])
    budget = config.search
    assert (config.competition, budget.max_steps, budget.trials) == ("crypto-1h", 7, 2)
    assert budget.candidates == ("lstm_gbm", OWN)
    assert (dict(budget.arms), budget.deterministic, budget.generation) == ({}, True, 2)
    assert (budget.time_budget, budget.max_step_seconds) == (None, None)
    assert parse_config(config.to_dict()) == config  # so that it can be resumed


def test_settings_go_to_the_network_or_to_the_sweep_file() -> None:
    settings = ["block1.num_layers=2", "head.hidden=16", "training.batch_size=24", "d_model=16", "data.assets=[BTC]"]
    settings.append("training.schedule=cosine")
    network, others = compose(["transformer", "lstm"], "sde", settings)
    assert network == {
        "blocks": [{"name": "transformer"}, {"name": "lstm", "num_layers": 2}],
        "head": {"name": "sde", "hidden": 16},
        "training": {"batch_size": 24, "schedule": "cosine"},
        "d_model": 16,
    }
    assert others == ["data.assets=[BTC]"]
    assert compose([], "gbm", []) == ({"blocks": [], "head": {"name": "gbm"}}, [])


@pytest.mark.parametrize(
    ("blocks", "setting", "message"),
    [
        (["lstm"], "block1.num_layers=2", "unknown setting 'block1'; did you mean 'block0'"),
        (["lstm"], "trainig.batch_size=2", "unknown setting 'trainig'; did you mean 'training'"),
        (["lstm"], "block0.dropout=[", "is no valid YAML"),
        (["lstm"], "block0", "--set takes key=value, got 'block0'"),
    ],
)
def test_settings_that_fit_nothing(blocks: list[str], setting: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        compose(blocks, "gbm", [setting])

"""`synthcity experiment`: a search of one network; what the three share is in `test_handpicked`."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.test_handpicked import ROOT, invoke


def test_an_experiment_is_a_search_of_one(calls: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["/bin/synthcity", "experiment", "--head", "an sde"])
    settings = ("--set", "block0.dropout=0.2", "--set", "data.assets=[BTC]")
    found = invoke("experiment", "--blocks", "lstm, tcn", "--head", "sde", *settings, "--steps", "9", "--seed", "4")
    assert found.exit_code == 0, found.output
    (call,) = calls
    network = {"blocks": [{"name": "lstm", "dropout": 0.2}, {"name": "tcn"}], "head": {"name": "sde"}}
    budget = call["config"].search
    assert budget.candidates == (network,)
    assert (budget.max_steps, budget.seed, call["config"].data.assets) == (9, 4, ("BTC",))
    assert (call["stem"], call["resume"], call["config"].name) == ("experiment", False, None)
    assert call["command"] == "synthcity experiment --head 'an sde'"


def test_a_sweep_file_gives_the_prices(calls: list[dict[str, Any]]) -> None:
    assert invoke("experiment", str(ROOT / "configs/sweep-1h.yaml"), "--name", "7", "--resume").exit_code == 0
    config = calls[0]["config"]
    assert (config.competition, config.name, calls[0]["resume"]) == ("crypto-1h", "7", True)
    assert config.search.candidates == ({"blocks": [], "head": {"name": "gbm"}},)

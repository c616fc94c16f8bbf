"""`synthcity quick`: an experiment that needs no decision."""

from __future__ import annotations

from typing import Any

from tests.cli.test_handpicked import invoke


def test_quick_needs_no_argument(calls: list[dict[str, Any]]) -> None:
    assert invoke("quick").exit_code == 0
    config = calls[0]["config"]
    assert (config.data.source, config.search.candidates, calls[0]["stem"]) == ("simulated", ("lstm_gbm",), "quick")


def test_it_is_small_and_every_word_for_another_network_counts(calls: list[dict[str, Any]]) -> None:
    assert invoke("quick", "--blocks", "tcn", "--seed", "3", "--name", "mine", "--resume").exit_code == 0
    (call,) = calls
    config = call["config"]
    assert config.search.candidates == ({"blocks": [{"name": "tcn"}], "head": {"name": "gbm"}},)
    assert (config.search.max_steps, config.search.rungs, config.search.seed) == (200, 2, 3)
    assert (config.data.assets, config.name, call["resume"]) == (("BTC", "ETH"), "mine", True)

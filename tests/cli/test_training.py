"""The first line of a search, and what is asked before it."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from synthcity.cli.main import cli
from synthcity.cli.training import opening
from synthcity.errors import ConfigError
from synthcity.search.config import load_config
from synthcity.search.handpicked import handpicked_config

QUICKSTART = Path(__file__).parents[2] / "configs" / "quickstart.yaml"


def test_the_first_line_says_what_is_done_on_which_prices_and_how_long_it_may_take() -> None:
    assert opening(load_config(QUICKSTART)) == (
        "crypto-24h on BTC, ETH, SOL of a SIMULATED market: up to 16 trials of 200 steps within 4:00, then the finals; "
        "loading torch and Ray\n"
        "first, written by hand: summary_gbm (none>gbm), lstm_gbm (lstm>gbm), summary_flow (none>flow)"
    )
    picked = handpicked_config(None, ["lstm_gbm"], ["data.assets=[BTC]"])
    assert opening(picked).startswith("crypto-24h on BTC of a SIMULATED market: 1 network of 400 steps, then")
    assert opening(picked).endswith("\nnetwork: lstm_gbm (lstm>gbm)")
    assert opening(picked, resume=True).startswith("going on: ")
    assert "\n" not in opening(picked, resume=True), "it may be trained by now"


def test_the_networks_that_go_first_are_named_before_torch_is_loaded() -> None:
    told = [
        opening(load_config(QUICKSTART, [f"search.candidates={given}"])).partition("\n")[2]
        for given in ("null", "[{blocks: [{name: tcn}, lstm], head: {name: sde}}, {blocks: 3}]", "[]")
    ]
    assert re.fullmatch(r"first, written by hand: (\w+ \([\w+]+>\w+\), ){2}\w+ \([\w+]+>\w+\) and \d+ more", told[0])
    assert told[1:] == ["first, written by hand: tcn+?>sde, none>gbm", ""]
    with pytest.raises(ConfigError, match=r"lstm_gmb.*lstm_gbm"):
        opening(load_config(QUICKSTART, ["search.candidates=[lstm_gmb]"]))
    authored = load_config(QUICKSTART, ["search.author=1", "search.deterministic=false"])
    assert "\nafter what the model writes, written by hand: " in opening(authored)


@pytest.mark.parametrize("words", [["search", str(QUICKSTART)], ["quick"], ["sweep"], ["experiment"]])
def test_a_dashboard_that_is_not_installed_is_told_before_anything_starts(
    words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "opencensus" else real(name))
    found = CliRunner().invoke(cli, [*words, "--dashboard"])
    assert isinstance(found.exception, ConfigError)
    assert "--dashboard needs opencensus; pip install 'synth-city[cluster]'" in str(found.exception)
    assert found.output == ""

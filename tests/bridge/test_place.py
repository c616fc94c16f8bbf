"""Folders of a bridge, and whose runs lie where."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthcity.bridge.place import Place, checked_bot
from synthcity.errors import ConfigError


def test_each_bot_has_runs_of_its_own() -> None:
    place = Place(state=Path("s"), runs=Path("runs"), configs=Path("c"))
    assert place.runs_of("default") == Path("runs")
    assert place.pipelines_of("alpha") == Path("s/bots/alpha/pipelines")
    assert place.runs_of("alpha") == Path("s/bots/alpha/runs")


@pytest.mark.parametrize("name", ["", "..", ".", "a/b", "a b", "é", "x" * 65, "a\n"])
def test_a_bots_name_leads_nowhere_else(name: str) -> None:
    with pytest.raises(ConfigError, match="a bot's name has 1 to 64"):
        checked_bot(name)

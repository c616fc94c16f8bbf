"""Sources by name: a venue of ours, one that is brought, or a reference that a person wrote."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from synthcity.errors import ConfigError
from synthcity.market.sources.external import find_source
from synthcity.market.venues.candles import CandleSource
from synthcity.settings import Settings

FILE = """
from synthcity.market.venues.binance import VENUE
venue = VENUE
class Source:
    venue = "lab"
    past_pause_seconds = 1.0
    def fetch(self, asset, resolution, start, end, tell): yield from ()
    def earliest(self, resolution): return 0
class Half:
    venue = "half"
def fails(): raise OSError("no licence")
"""
Lab = Callable[[str], str]


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """Gives a reference into a module that only this test knows."""
    name = f"lab_{tmp_path.name}"  # pytest gives every test a folder of its own
    (tmp_path / f"{name}.py").write_text(FILE)
    monkeypatch.syspath_prepend(tmp_path)
    return lambda word: f"{name}:{word}"


def test_a_venue_of_ours_is_a_source_of_candles() -> None:
    found = find_source("binance", Settings())
    assert isinstance(found, CandleSource)
    assert found.venue == "binance"


def test_a_wrong_name_gives_the_nearest() -> None:
    with pytest.raises(ConfigError, match="unknown source 'binanse'; did you mean 'binance'"):
        find_source("binanse", Settings())


def test_a_class_is_made_and_a_venue_wrapped(lab: Lab) -> None:
    assert find_source(lab("Source"), Settings()).venue == "lab"
    assert isinstance(find_source(lab("venue"), Settings()), CandleSource)


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("Half", "is no source of prices: it lacks fetch, earliest$"),
        ("fails", "cannot be called: OSError: no licence$"),
    ],
)
def test_what_is_no_source_is_one_sentence(lab: Lab, word: str, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        find_source(lab(word), Settings())

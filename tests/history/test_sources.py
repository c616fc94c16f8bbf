"""Where runs may lie."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthcity.errors import ConfigError, RunError
from synthcity.history.listing import Listing
from synthcity.history.sources import canonical, find, read
from tests.history.builders import report, row, write_run

LISTING = Listing(source="local", rows=(row("sweep", day=1), row("quick", day=2), row("x", day=0, name="sweep-x")))


def test_a_source_is_read_by_its_name(tmp_path: Path) -> None:
    write_run(tmp_path / "run", report())
    assert [found.id for found in read("local", runs=tmp_path).rows] == ["run"]
    with pytest.raises(ConfigError, match="unknown source of runs 'locale'; did you mean 'local'"):
        canonical("locale")


def test_a_run_is_found_by_id_by_name_and_as_the_latest() -> None:
    assert find(LISTING, "sweep").id == "sweep"
    assert find(LISTING, "sweep-x").id == "x"
    assert find(LISTING, "latest").id == "quick"
    with pytest.raises(RunError, match="no run 'swep' among the 3 of local; did you mean 'sweep'"):
        find(LISTING, "swep")
    with pytest.raises(RunError, match="no run 'latest' among the 0"):
        find(Listing(source="local", rows=()), "latest")

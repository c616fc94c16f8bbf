from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from synthcity.errors import ConfigError
from synthcity.market.periods import read_period
from synthcity.research.informed.choosing import usable
from synthcity.research.labbook import Origin
from synthcity.research.library import DROPPED, PROMOTED, add, decide
from tests.research.test_library import RECIPE, evidence

LATER = read_period(["2025-08-01", "2025-09-01"])
REAL = replace(evidence(), prices="prices")


def test_kept_and_promoted_inputs_are_used_and_dropped_ones_are_not(tmp_path: Path) -> None:
    names = [add(tmp_path, name, RECIPE, REAL).stem for name in ("one", "two", "three")]
    decide(tmp_path, names[1], PROMOTED, "read it")
    decide(tmp_path, names[2], DROPPED, "an artefact")
    found, notes = usable(tmp_path, "crypto-24h", simulated=False, test=LATER)
    assert ({one.name for one in found}, notes) == (set(names[:2]), [])


@pytest.mark.parametrize(
    ("origin", "given", "competition", "simulated", "test", "why"),
    [
        (RECIPE, REAL, "crypto-1h", False, LATER, "it was found for crypto-24h"),
        (RECIPE, evidence(), "crypto-24h", False, LATER, "it was found on simulated prices"),
        (RECIPE, replace(REAL, simulated=True), "crypto-24h", False, LATER, "it was found on simulated prices"),
        (RECIPE, REAL, "crypto-24h", True, LATER, "it was found on real prices"),
        (
            RECIPE,
            REAL,
            "crypto-24h",
            False,
            read_period(["2025-07-18", "2025-09-01"]),
            r"its fold confirm \(2025-06-09 to 2025-07-19\) reaches into the test period",
        ),
        (
            Origin(recipe={"kind": "level", "series": "funding", "hours": 1.0, "above": 0.5}),
            REAL,
            "crypto-24h",
            False,
            LATER,
            "it reads the series funding",
        ),
        (Origin(source="import os\n"), REAL, "crypto-24h", False, LATER, "may not run"),
    ],
)
def test_what_does_not_fit_is_left_out_and_told(
    tmp_path: Path, origin: Origin, given: object, competition: str, simulated: bool, test: object, why: str
) -> None:
    name = add(tmp_path, "one", origin, given).stem  # type: ignore[arg-type]
    found, notes = usable(tmp_path, competition, simulated=simulated, test=test)  # type: ignore[arg-type]
    assert found == []
    assert notes[0].startswith(f"the kept input {name} is left out: ")
    assert re.search(why, notes[0])
    assert notes[1].endswith("holds no input that this search may use")


def test_a_folder_that_is_not_there_and_a_damaged_file_are_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="where there is no folder"):
        usable(tmp_path / "gone", "crypto-24h", simulated=False, test=LATER)
    (tmp_path / "one.json").write_text("{")
    found, notes = usable(tmp_path, "crypto-24h", simulated=False, test=LATER)
    assert found == []
    assert "is no item of a library" in notes[0]

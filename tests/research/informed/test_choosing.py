from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from synthcity.errors import ConfigError
from synthcity.market.periods import read_period
from synthcity.research.informed.choosing import usable, usable_forecasters
from synthcity.research.labbook import Origin
from synthcity.research.library import DROPPED, PROMOTED, add, decide
from tests.research.conftest import SWING
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
    assert notes[1].endswith("holds nothing that this search may use")


def test_a_folder_that_is_not_there_and_a_damaged_file_are_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="where there is no folder"):
        usable(tmp_path / "gone", "crypto-24h", simulated=False, test=LATER)
    (tmp_path / "one.json").write_text("{")
    found, notes = usable(tmp_path, "crypto-24h", simulated=False, test=LATER)
    assert found == []
    assert "is no item of a library" in notes[0]


def test_forecasters_are_apart_from_inputs_and_the_surest_comes_first(tmp_path: Path) -> None:
    def keep(name: str, high: float) -> str:
        claim = replace(REAL.confirmed, high=high)
        text = SWING.replace('"swing"', f'"{name}"')
        return add(tmp_path, name, Origin(forecaster=text), replace(REAL, confirmed=claim)).stem

    first, second, promoted, dropped = keep("one", -0.2), keep("two", -0.4), keep("three", -0.1), keep("four", -0.9)
    wave = add(tmp_path, "cycle(37,2)", RECIPE, REAL).stem
    decide(tmp_path, promoted, PROMOTED, "read it")
    decide(tmp_path, dropped, DROPPED, "an artefact")
    found, notes = usable_forecasters(tmp_path, "crypto-24h", simulated=False, test=LATER)
    assert ([one.name for one in found], notes) == ([promoted, second, first], [])
    assert found[1].source.name == "two"
    inputs, notes = usable(tmp_path, "crypto-24h", simulated=False, test=LATER)
    assert ([one.name for one in inputs], notes) == ([wave], [])


@pytest.mark.parametrize(
    ("text", "competition", "simulated", "why"),
    [
        (SWING, "crypto-1h", False, "it was found for crypto-24h"),
        (SWING, "crypto-24h", True, "it was found on real prices"),
        (SWING + "\nimport os\n", "crypto-24h", False, "its text may not run: line 18: import of os is not allowed"),
    ],
)
def test_a_forecaster_that_does_not_fit_is_left_out_and_told(
    tmp_path: Path, text: str, competition: str, simulated: bool, why: str
) -> None:
    name = add(tmp_path, "swing", Origin(forecaster=text), REAL).stem
    found, notes = usable_forecasters(tmp_path, competition, simulated=simulated, test=LATER)
    assert found == []
    assert notes[0].startswith(f"the kept forecaster {name} is left out: {why}")

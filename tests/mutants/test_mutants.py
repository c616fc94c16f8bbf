"""The campaign itself is a command; here its list is held to the source, and its runner to one of each outcome."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutants import __main__ as campaign
from tests.mutants.__main__ import BROKEN, KILLED, STALE, SURVIVED, Mutant, is_stale, mutants, run, table

EXAMPLE = Mutant(
    why="a leap year is forgotten",
    file="pack/days.py",
    old="year % 4 == 0",
    new="year % 5 == 0",
    tests=("pack/test_days.py",),
)


@pytest.mark.parametrize("mutant", mutants(), ids=lambda mutant: mutant.why)
def test_every_fault_still_has_its_place(mutant: Mutant) -> None:
    assert not is_stale(mutant)
    assert mutant.old != mutant.new


def test_there_are_enough_of_them_in_all_rooms() -> None:
    rooms = {mutant.file.split("/")[1].removesuffix(".py") for mutant in mutants()}
    assert len(mutants()) >= 60
    assert rooms >= {"sn50", "market", "forecast", "nets", "agents", "search", "serve", "lines", "schema"}


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "tests").mkdir()
    (tmp_path / "synthcity").mkdir()
    folder = tmp_path / "synthcity" / "pack"
    folder.mkdir()
    (folder / "days.py").write_text("def leaps(year):\n    return year % 4 == 0\n")
    monkeypatch.setattr(campaign, "ROOT", tmp_path)
    monkeypatch.setattr(campaign, "_checked", {})
    return folder


@pytest.mark.parametrize(
    ("line", "state"),
    [("assert leaps(2024)", KILLED), ("assert leaps(2020)", SURVIVED), ("assert leaps(2023)", BROKEN), (None, STALE)],
)
def test_outcomes(tree: Path, line: str | None, state: str) -> None:
    if line is not None:
        (tree / "test_days.py").write_text(f"from days import leaps\n\n\ndef test_days():\n    {line}\n")
    example = Mutant(**{**vars(EXAMPLE), "file": "synthcity/pack/days.py", "tests": ("synthcity/pack/test_days.py",)})
    outcome = run(example)
    assert outcome.state == state
    assert f"| {EXAMPLE.why} | `synthcity/pack/days.py` |" in table([outcome])
    assert ("test_days.py::test_days" in outcome.by) == (state in (KILLED, BROKEN))

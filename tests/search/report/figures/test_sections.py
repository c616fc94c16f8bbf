"""Which plots stand where, and how often what happened fell inside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from synthcity.search.report.figures import sections
from synthcity.search.report.model import Report
from tests.search.sample_run import sample_report


@pytest.fixture(scope="module")
def report() -> Report:
    return sample_report()


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the plots that were asked for; drawing them is another test's matter."""
    names: list[str] = []

    def draw(name: str, build: Callable[..., object], *data: object, **named: object) -> str:
        names.append(name)
        return f"<svg>{name}</svg>"

    monkeypatch.setattr(sections, "draw", draw)
    return names


def test_every_section_has_its_plots_and_each_a_name_of_its_own(report: Report, drawn: list[str]) -> None:
    found = sections.sections(report)
    assert {name for name, plots in found.items() if not plots} == set()
    assert len(set(drawn)) == len(drawn) == sum(map(len, found.values()))
    assert next(title for title, _ in found["slices"]) == report["importance"][0]["name"]
    assert len(found["fans"]) == 6
    assert len(found["more_fans"]) == 3


def test_what_was_not_collected_is_no_plot(report: Report, drawn: list[str]) -> None:
    bare: Any = {**report, "diagnostics": None, "groups": None, "arms": [], "trials": [], "leads": {}}
    for name in ("importance", "parameters", "horizons", "lanes", "losses"):
        bare.pop(name, None)
    assert {name for name, plots in sections.sections(bare).items() if plots} == set()
    assert drawn == []


@pytest.mark.parametrize(
    ("density", "said"),
    [
        ([2.0, *[1.0] * 18, 0.0], "prices (40): 90.0\N{NO-BREAK SPACE}% in the central 90\N{NO-BREAK SPACE}%"),
        ([0.0, 1.0, 2.0, 1.0, 1.0], "prices (40): 80.0\N{NO-BREAK SPACE}% in the central 60\N{NO-BREAK SPACE}%"),
        ([], "no realised change is known"),
    ],
)
def test_the_central_part_is_what_is_left_of_the_outer_bins(density: list[float], said: str) -> None:
    row: Any = {"asset": "all", "horizon": 300, "count": 40, "density": density, "low": [], "high": []}
    assert sections._coverage(row, "prices") == said

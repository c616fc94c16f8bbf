"""Plots of the pages."""

from __future__ import annotations

import xml.etree.ElementTree as tree
from itertools import pairwise
from typing import Any

from synthcity.bridge.dashboard.plots import curves, trend_line


def trial(id: str, *leads: float) -> dict[str, Any]:
    return {"id": id, "architecture": "tcn>gbm <b>", "leads": list(leads)}


def test_every_trial_is_a_line_and_the_best_is_drawn_last_and_strong() -> None:
    drawn = tree.fromstring(curves([trial("a", 1.0, -0.5), trial("b", 0.5, -1.0), trial("c")]))
    groups = drawn.findall("g")
    assert [group.get("class") for group in groups] == ["other", "best"]
    assert groups[1].findtext("title") == "trial b: tcn>gbm <b>"
    assert (drawn.get("role"), "the best is trial b" in str(drawn.get("aria-label"))) == ("img", True)
    ends = [float(group.find("polyline").get("points").split(",")[-1]) for group in groups]  # type: ignore[union-attr]
    assert ends[0] < ends[1]  # better is lower


def test_one_bad_trial_flattens_no_other() -> None:
    drawn = tree.fromstring(curves([trial("a", -0.5), trial("b", -0.6), trial("c", 900.0)]))
    heights = [float(group.find("circle").get("cy")) for group in drawn.findall("g")]  # type: ignore[union-attr]
    assert max(heights) - min(heights) > 20
    assert min(heights) >= 0


def test_a_trend_shows_each_run_and_the_best_so_far() -> None:
    def point(id: str, lead: float, verdict: str, best: float | None) -> dict[str, Any]:
        return {"id": id, "lead": {"mean": lead}, "verdict": verdict, "running_best_lead": best}

    timeline = [
        point("a", 0.2, "not proven", None),
        point("b", -0.5, "proven", -0.5),
        point("c", 0.1, "unfinished", -0.5),
    ]
    drawn = tree.fromstring(trend_line(timeline))
    assert [circle.get("class") for circle in drawn.findall("circle")] == ["open", "proven", "open"]
    assert len(drawn.find("g/polyline").get("points").split()) == 2  # type: ignore[union-attr]
    assert (trend_line([]), curves([])) == ("", "")


def test_no_label_of_an_axis_stands_on_another() -> None:
    for leads in ((-0.57,), (0.2, 0.01), (-0.5, 0.5), (0.0,)):
        labels = tree.fromstring(curves([trial("a", *leads)])).findall("text")
        heights = sorted(float(str(label.get("y"))) for label in labels)
        assert all(below - above >= 14 for above, below in pairwise(heights))
        assert "0" in [label.text for label in labels]

"""Plots of how a search went."""

from __future__ import annotations

from synthcity.search.report.figures import draw
from synthcity.search.report.findings.lanes import LaneRow
from synthcity.search.report.search_figures import importance_figure, lanes_figure


def test_a_bar_is_named_where_there_is_room_and_sources_are_told_by_colour() -> None:
    row = LaneRow(id="c0000", source="tpe", state="completed", lane=0, begin=0.0, end=600.0)
    short = LaneRow(id="c0001", source="random", state="failed", lane=1, begin=0.0, end=5.0)
    svg = draw("lanes", lanes_figure, [row, short], ["random", "tpe"])
    assert "c0000" in svg
    assert "c0001" not in svg
    assert all(word in svg for word in ("worker 1", "worker 2", "tpe", "random", "minutes since"))


def test_importance_is_told_in_percent() -> None:
    svg = draw(
        "moved", importance_figure, [{"name": "d_model", "importance": 0.62}, {"name": "head", "importance": 0.004}]
    )
    assert "62 %" in svg
    assert "&lt;1 %" in svg
    assert "d_model" in svg

"""Plots of which choices made a network good."""

from __future__ import annotations

from typing import Any

from synthcity.search.report.figures.choices import importance_figure, parallel_figure, slice_figure
from synthcity.search.report.figures.style import GOOD, draw, house_style
from synthcity.search.report.findings.parameters import ParameterRow
from tests.search.report.figures.test_course import TRIAL, marks

TRIALS: Any = [{**TRIAL, "id": f"c{at:04d}", "relative": 0.1 * at - 0.2} for at in range(8)]
WIDTH = ParameterRow(
    name="d_model", scale="linear", low=16, high=23, choices=[], values={f"c{at:04d}": 16.0 + at for at in range(8)}
)
RATE = ParameterRow(
    name="rate", scale="log", low=1e-4, high=1e3, choices=[], values={f"c{at:04d}": 10.0 ** (at - 4) for at in range(8)}
)
HEAD = ParameterRow(
    name="head",
    scale="choice",
    low=0,
    high=0,
    choices=["flow", "gbm"],
    values={f"c{at:04d}": "gbm" if at % 4 else "flow" for at in range(8)},
)


def test_importance_is_told_in_percent() -> None:
    rows: Any = [{"name": "d_model", "importance": 0.62}, {"name": "head", "importance": 0.004}]
    svg = draw("moved", importance_figure, rows)
    assert "62 %" in svg
    assert "&lt;1 %" in svg
    assert "d_model" in svg


def test_a_slice_has_a_mark_for_every_scored_trial_and_a_count_for_every_name() -> None:
    unscored = {**TRIALS[0], "id": "c0009", "relative": None}
    for row, first in ((WIDTH, 16.0), (RATE, 1e-4), (HEAD, 0)):
        with house_style():
            (axes,) = slice_figure(row, [*TRIALS, unscored], ["tpe"]).axes
        points = marks(axes.lines)
        assert len(points) == 8
        assert points[0].get_xdata()[0] == first
    svg = draw("slice", slice_figure, HEAD, TRIALS, ["tpe"])
    assert ">flow</tspan>" in svg or ">flow</text>" in svg
    assert "6" in [label.get_text().split("\n")[-1] for label in axes.get_xticklabels()]
    assert "<title>head gbm; c0001 by tpe" in svg


def test_what_was_stopped_stands_where_it_would_have_come_to_and_says_so() -> None:
    stopped = {**TRIALS[7], "state": "stopped", "rung": 1, "num_rungs": 3, "whole": -0.6}
    with house_style():
        (axes,) = slice_figure(WIDTH, [*TRIALS[:7], stopped], ["tpe"]).axes
    assert [float(mark.get_ydata()[0]) for mark in marks(axes.lines)][-1] == -0.6
    svg = draw("all", parallel_figure, [WIDTH, HEAD], [*TRIALS[:7], stopped])
    minus = "\N{MINUS SIGN}"
    assert f"lead +0.50 %, stopped after rung 1 of 3, drawn at {minus}0.60 %" in svg
    with house_style():
        (axes,) = parallel_figure([WIDTH, HEAD], [*TRIALS[:7], stopped]).axes
    lines = {(line.get_gid() or "").split("|")[1]: line for line in marks(axes.lines)}
    assert lines["c0007"].get_color() == GOOD


def test_a_line_of_the_parallel_coordinates_ends_at_its_lead_and_the_best_fourth_is_strong() -> None:
    with house_style():
        (axes,) = parallel_figure([WIDTH, RATE, HEAD], TRIALS).axes
    lines = {(line.get_gid() or "").split("|")[1]: line for line in marks(axes.lines)}
    assert len(lines) == 8
    places = lines["c0000"].get_xdata()
    assert [round(float(place), 6) for place in places[:3]] == [0.0, 0.0, 0.0]
    last = lines["c0007"].get_xdata()
    assert [round(float(place), 6) for place in last[:3]] == [1.0, 1.0, 1.0]
    assert last[3] > places[3]
    assert {name for name, line in lines.items() if line.get_color() == GOOD} == {"c0000", "c0001"}


def test_a_trial_that_lacks_a_parameter_has_no_line() -> None:
    part = {**WIDTH, "values": {name: value for name, value in WIDTH["values"].items() if name != "c0003"}}
    with house_style():
        (axes,) = parallel_figure([part, HEAD], TRIALS).axes
    assert len(marks(axes.lines)) == 7

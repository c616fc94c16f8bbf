"""Plots of how a search went."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.lines import Line2D

from synthcity.search.report.figures.course import (
    arms_figure,
    curves_figure,
    lanes_figure,
    losses_figure,
    search_figure,
)
from synthcity.search.report.figures.style import SERIES, draw, house_style
from synthcity.search.report.findings.lanes import LaneRow

TRIAL: dict[str, Any] = {
    "id": "c0000", "source": "tpe", "architecture": "lstm>gbm", "relative": -0.5, "elapsed": 60.0, "state": "completed",
    "curve": [(10, 5500.0)],
}  # fmt: skip


def marks(lines: list[Line2D]) -> list[Line2D]:
    return [line for line in lines if (line.get_gid() or "").startswith("tip|c")]


def test_texts_of_a_run_are_escaped_and_long_ones_cut() -> None:
    trials = [{**TRIAL, "source": "<b>&"}, {**TRIAL, "source": "x" * 40}]
    svg = draw("s", lambda: search_figure(trials, over_time=False, sources=["<b>&", "x" * 40]))
    assert "<b>" not in svg
    assert "&lt;b&gt;&amp;" in svg
    assert "x" * 21 + "\N{HORIZONTAL ELLIPSIS}</text>" in svg
    assert "x" * 22 + "</text>" not in svg


def test_trials_without_a_score_are_no_point_and_none_at_all_no_error() -> None:
    nothing = {**TRIAL, "id": "c0009", "relative": None, "curve": []}
    for trials, points in (([], 0), ([nothing], 0), ([TRIAL, nothing], 1), ([nothing, TRIAL, TRIAL], 2)):
        with house_style():
            (searched,) = search_figure(trials, over_time=True, sources=["tpe"]).axes
            (curves,) = curves_figure(trials, 5550.0, ["tpe"], best="c0000").axes
        assert len(marks(searched.lines)) == points
        assert len(marks(curves.lines)) == points
        draw("s", lambda trials=trials: search_figure(trials, over_time=True, sources=["tpe"]))
        draw("c", lambda trials=trials: curves_figure(trials, 5550.0, ["tpe"], best="c0000"))


def test_a_mark_says_which_trial_it_is_and_a_source_stands_once_in_the_legend() -> None:
    trials = [TRIAL, {**TRIAL, "id": "c0001"}]
    svg = draw("s", lambda: search_figure(trials, over_time=False, sources=["tpe"]))
    for name in ("c0000", "c0001"):
        assert f'<g data-trial="{name}"><title>{name} by tpe, lstm&gt;gbm: lead \N{MINUS SIGN}0.50 %</title>' in svg
    assert svg.count(">tpe</text>") == 1


def test_the_best_so_far_never_rises() -> None:
    relative = [-0.1, -0.5, 0.3, -0.4]
    trials = [{**TRIAL, "relative": value, "elapsed": float(n)} for n, value in enumerate(relative)]
    with house_style():
        (axes,) = search_figure(trials, over_time=False, sources=["tpe"]).axes
    best = next(line for line in axes.lines if line.get_label() == "best so far")
    np.testing.assert_allclose(best.get_ydata(), [-0.1, -0.5, -0.5, -0.5])


def test_training_loss_stands_beside_validation_and_one_lost_training_does_not_flatten_it() -> None:
    trials = [{**TRIAL, "id": f"c{at:04d}"} for at in range(4)]
    losses = {f"c{at:04d}": [(10, 1.0), (20, 0.9 - 0.01 * at)] for at in range(3)} | {"c0003": [(10, 1.0), (20, 500.0)]}
    with house_style():
        (axes,) = losses_figure(trials, losses, ["tpe"], best="c0001").axes
        (none,) = losses_figure(trials, {}, ["tpe"], best=None).axes
    assert [list(line.get_ydata()) for line in marks(axes.lines)][-1] == [1.0, 0.89]  # the best lies on top
    assert len(marks(axes.lines)) == 4
    assert axes.get_ylim()[1] < 2
    assert marks(none.lines) == []


def test_a_bar_is_named_where_there_is_room_and_sources_are_told_by_colour() -> None:
    row = LaneRow(id="c0000", source="tpe", state="completed", lane=0, begin=0.0, end=600.0)
    short = LaneRow(id="c0001", source="random", state="failed", lane=1, begin=0.0, end=5.0)
    svg = draw("lanes", lanes_figure, [row, short], ["random", "tpe"])
    assert " c0000</text>" in svg
    assert " c0001</text>" not in svg
    assert "<title>c0001 by random: failed after 5 s</title>" in svg
    assert all(word in svg for word in ("worker 1", "worker 2", "tpe", "random", "minutes since"))


def test_an_arm_has_the_colour_of_its_trials() -> None:
    curve = [{"proposals": 1, "share": 0.5, "reward": None, "usd": 0.0}]
    arms: Any = [{"name": "tpe", "curve": curve}, {"name": "random", "curve": curve}]
    with house_style():
        (axes,) = arms_figure(arms, "share", "share", ["defaults", "random", "tpe"]).axes
    assert {line.get_label(): line.get_color() for line in axes.lines} == {"tpe": SERIES[2], "random": SERIES[1]}

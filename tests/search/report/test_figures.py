"""Plots as small inline SVGs that take their colours from the page."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from synthcity.search.report import figures
from synthcity.search.report.figures import BAD, GOOD, MUTED, draw, lead_figure, span

LEAD = {"mean": -0.6, "low": -0.8, "high": -0.4, "by_asset": {"BTC": {"mean": 0.1, "low": None, "high": None}}}
TRIAL: dict[str, Any] = {"id": "c0000", "source": "tpe", "relative": -0.5, "elapsed": 60.0, "curve": [(10, 5500.0)]}


def test_a_plot_has_no_colour_size_or_name_of_its_own() -> None:
    svg = draw("lead0", lead_figure, LEAD, ["BTC"], (-1.0, 1.0))
    assert svg.startswith("<svg viewBox=")
    assert "#fe" not in svg
    assert "var(--good)" in svg
    assert "xlink" not in svg
    assert not re.search(r"<(metadata|!--)", svg)
    ids = re.findall(r' id="([^"]+)"', svg)
    assert ids
    assert all(one.startswith("lead0-") for one in ids)
    assert set(re.findall(r"url\(#([^)]+)\)", svg)) <= set(ids)


def test_the_same_data_give_the_same_bytes() -> None:
    assert draw("a", lead_figure, LEAD, ["BTC"], (-1.0, 1.0)) == draw("a", lead_figure, LEAD, ["BTC"], (-1.0, 1.0))


@pytest.mark.parametrize(
    ("low", "high", "colour"),
    [(-2, -1, GOOD), (1, 2, BAD), (-1, 1, MUTED), (-1, 0, MUTED), (0, 1, MUTED), (None, None, MUTED)],
)
def test_only_an_interval_without_zero_is_good_or_bad(low: float | None, high: float | None, colour: str) -> None:
    assert figures._verdict_colour({"mean": 0.0, "low": low, "high": high}) == colour


def test_texts_of_a_run_are_escaped_and_long_ones_cut() -> None:
    trials = [{**TRIAL, "source": "<b>&"}, {**TRIAL, "source": "x" * 40}]
    svg = draw("s", lambda: figures.search_figure(trials, over_time=False, sources=["<b>&", "x" * 40]))
    assert "<b>" not in svg
    assert "&lt;b&gt;&amp;" in svg
    assert "x" * 21 + "\N{HORIZONTAL ELLIPSIS}" in svg
    assert "x" * 22 not in svg


def test_trials_without_a_score_are_no_point_and_none_at_all_no_error() -> None:
    nothing = {**TRIAL, "relative": None, "curve": []}
    for trials, points in (([], 0), ([nothing], 0), ([TRIAL, nothing], 1), ([nothing, TRIAL, TRIAL], 2)):
        with figures._house_style():
            (searched,) = figures.search_figure(trials, over_time=True, sources=["tpe"]).axes
            (curves,) = figures.curves_figure(trials, 5550.0, ["tpe"], best="c0000").axes
        assert len(next(line for line in searched.lines if line.get_label() == "tpe").get_xdata()) == points
        drawn = [line for line in curves.lines if line.get_marker() == "o"]
        assert [len(line.get_xdata()) for line in drawn] == [1] * points
        draw("s", lambda trials=trials: figures.search_figure(trials, over_time=True, sources=["tpe"]))
        draw("c", lambda trials=trials: figures.curves_figure(trials, 5550.0, ["tpe"], best="c0000"))


def test_the_best_so_far_never_rises() -> None:
    relative = [-0.1, -0.5, 0.3, -0.4]
    trials = [{**TRIAL, "relative": value, "elapsed": float(n)} for n, value in enumerate(relative)]
    with figures._house_style():
        (axes,) = figures.search_figure(trials, over_time=False, sources=["tpe"]).axes
    best = next(line for line in axes.lines if line.get_label() == "best so far")
    np.testing.assert_allclose(best.get_ydata(), [-0.1, -0.5, -0.5, -0.5])


def test_a_lost_trial_far_above_the_others_does_not_flatten_them() -> None:
    low, high = figures._robust_range(np.array([-0.5, -0.4, -0.3, 400.0]))
    assert -1.0 < low < -0.5
    assert 0 < high < 1.0
    low, high = figures._robust_range(np.zeros(3))
    assert low < 0 < high


@pytest.mark.parametrize(("value", "text"), [(0.0, "0"), (1e-12, "0"), (0.5, "+0.5"), (-1.25, "\N{MINUS SIGN}1.25")])
def test_differences_show_their_sign(value: float, text: str) -> None:
    assert figures._signed(value, None) == text


@pytest.mark.parametrize(("seconds", "text"), [(300, "5 min"), (3600, "1 h"), (5400, "90 min"), (86400, "24 h")])
def test_lengths_are_minutes_or_whole_hours(seconds: int, text: str) -> None:
    assert span(seconds) == text


@pytest.mark.parametrize(("value", "text"), [(123456.7, "123,457"), (0.1234567, "0.123457"), (9999.5, "9999.5")])
def test_prices_keep_six_digits(value: float, text: str) -> None:
    assert figures._price(value, None) == text


def test_an_arm_has_the_colour_of_its_trials() -> None:
    curve = [{"proposals": 1, "share": 0.5, "reward": None, "usd": 0.0}]
    arms: Any = [{"name": "tpe", "curve": curve}, {"name": "random", "curve": curve}]
    with figures._house_style():
        (axes,) = figures.arms_figure(arms, "share", "share", ["defaults", "random", "tpe"]).axes
    assert {line.get_label(): line.get_color() for line in axes.lines} == {
        "tpe": figures.SERIES[2],
        "random": figures.SERIES[1],
    }

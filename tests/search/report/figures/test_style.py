"""Plots as small inline SVGs that take their colours from the page."""

from __future__ import annotations

import re

from matplotlib.figure import Figure

from synthcity.search.report.figures.leads import lead_figure
from synthcity.search.report.figures.style import draw, new_figure, tip

LEAD = {"mean": -0.6, "low": -0.8, "high": -0.4, "by_asset": {"BTC": {"mean": 0.1, "low": None, "high": None}}}
PROMPTS = {"BTC": 56}


def test_a_plot_has_no_colour_size_or_name_of_its_own() -> None:
    svg = draw("lead0", lead_figure, LEAD, ["BTC"], (-1.0, 1.0), PROMPTS)
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
    first, second = (draw("a", lead_figure, LEAD, ["BTC"], (-1.0, 1.0), PROMPTS) for _ in range(2))
    assert first == second


def test_a_mark_says_what_it_is_and_of_which_trial_and_nothing_that_is_said_is_markup() -> None:
    def build() -> Figure:
        figure, axes = new_figure(1.0)
        for at, (text, trial) in enumerate((('a "<b>" & c', "c0001"), ("no trial", ""))):
            (mark,) = axes.plot(at, at, "o")
            tip(mark, text, trial)
        return figure

    svg = draw("tips", build)
    assert """<g data-trial="c0001"><title>a '&lt;b&gt;' &amp; c</title>""" in svg
    assert "<g><title>no trial</title>" in svg
    assert "tip|" not in svg


def test_paths_are_no_finer_than_a_screen() -> None:
    svg = draw("lead0", lead_figure, LEAD, ["BTC"], (-1.0, 1.0), PROMPTS)
    paths = "".join(re.findall(r' d="([^"]*)"', svg))
    assert paths
    assert not re.search(r"\.\d{3}", paths)

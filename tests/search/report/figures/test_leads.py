"""Plots of leads tell how many prompts are behind each of their marks."""

from __future__ import annotations

import pytest

from synthcity.forecast.evaluation.regimes import GroupRow
from synthcity.search.report.figures.leads import group_figure, group_limits, lead_figure
from synthcity.search.report.figures.style import draw
from tests.search.report.figures.test_style import LEAD


def rows(count: int) -> list[GroupRow]:
    return [GroupRow(group=f"{at:02d}", count=1000 + at, lead=-0.1, low=-0.3, high=0.1) for at in range(count)]


@pytest.mark.parametrize("count", [3, 24])
def test_every_group_has_its_count(count: int) -> None:
    svg = draw("hours", group_figure, rows(count), "hour", group_limits(rows(count)))
    for at in range(count):
        assert f"{1000 + at:,}</text>" in svg
        assert f"<title>{at:02d}: \N{MINUS SIGN}0.10 %" in svg


def test_every_asset_has_its_count_and_none_is_made_up_where_it_is_unknown() -> None:
    svg = draw("lead", lead_figure, LEAD, ["BTC"], (-1.0, 1.0), {"BTC": 56})
    assert "BTC 56" in svg
    assert "all assets 56" in svg
    assert ", 56 prompts</title>" in svg
    assert "prompts" not in draw("lead", lead_figure, LEAD, ["BTC"], (-1.0, 1.0), {})


def test_what_lies_beyond_the_scale_is_an_arrow_at_its_edge_with_its_figure() -> None:
    far = {"mean": -40.2, "low": -41.0, "high": -39.0, "by_asset": {"BTC": {"mean": 30.0, "low": 29.0, "high": 31.0}}}
    svg = draw("lead", lead_figure, far, ["BTC"], (-1.0, 1.0), {"BTC": 56})
    assert ">\N{MINUS SIGN}40.2 %</text>" in svg
    assert ">+30 %</text>" in svg
    assert "<title>all assets: \N{MINUS SIGN}40.20 %, 95 % interval" in svg
    assert "40.2 %</text>" not in draw("lead", lead_figure, far, ["BTC"], (-50.0, 50.0), {"BTC": 56})

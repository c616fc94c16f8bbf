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

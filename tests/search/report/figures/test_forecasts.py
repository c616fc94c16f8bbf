"""Fans on one scale, and calibration with its counts."""

from __future__ import annotations

from typing import Any

import pytest

from synthcity.search.report.figures.forecasts import fan_figure, pit_figure
from synthcity.search.report.figures.style import draw, house_style

QUANTILES = ("0.01", "0.05", "0.25", "0.5", "0.75", "0.95", "0.99")


def fan(width: float, **more: Any) -> Any:
    told = {q: [100.0 + width * at * (float(q) - 0.5) for at in range(5)] for q in QUANTILES}
    facts = {"asset": "BTC", "kind": "calm", "start_time": 0, "time_increment": 300, "volatility": 0.1}
    return {**facts, "quantiles": told, "realised": [100.0, None, 101.0, 100.5, 99.0], **more}


def test_a_rival_stands_beside_on_the_same_scale() -> None:
    both = fan(1.0, rival=fan(9.0)["quantiles"])
    with house_style():
        ours, theirs = fan_figure(both, ["mix", "fhs+q"]).axes
    assert [axes.get_title(loc="left") for axes in (ours, theirs)] == ["mix", "fhs+q"]
    assert ours.get_ylim() == theirs.get_ylim()
    assert ours.get_ylim()[1] > 100 + 9 * 4 * 0.49


def test_without_a_rival_there_is_one_fan() -> None:
    with house_style():
        assert len(fan_figure(fan(1.0)).axes) == 1


@pytest.mark.parametrize("large", [True, False])
def test_every_bar_says_how_many_it_stands_for(large: bool) -> None:
    row: Any = {"asset": "all", "horizon": 3600, "count": 200, "density": [1.5, 0.5], "low": [], "high": []}
    svg = draw("pit", pit_figure, [row], large)
    assert "<title>0.00 to 0.50: 1.50, 150 of 200</title>" in svg
    assert "<title>0.50 to 1.00: 0.50, 50 of 200</title>" in svg
    assert ("1 h: 200" in svg) is not large

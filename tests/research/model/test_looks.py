"""Looks are counted, bounded and of the past."""

from __future__ import annotations

import pytest

from synthcity.agents.tools import Toolset
from synthcity.research.labbook import Look
from synthcity.research.model.desk import Desk
from tests.research.model.conftest import call


def test_looks_are_counted_and_say_what_is_there(desk: Desk, tools: Toolset) -> None:
    assert call(tools, "look_periods", low_hours=3, high_hours=30).splitlines()[1].startswith(("7.0", "6.9"))
    header, *rows = call(tools, "look_phase", hours=7).splitlines()
    assert header.split("\t") == ["from", "first_half", "second_half", "BTC", "ETH"]
    swings = [[float(mean) for mean in row.split("\t")[1:]] for row in rows]
    assert len(swings) == 8
    assert all(max(column) > 1.3 > 0.9 > min(column) for column in zip(*swings, strict=True))
    assert "left out, in the same order: " in call(tools, "look_residuals", by=["hour", "minute"])
    assert len(call(tools, "look_lags", asset="ETH", other="BTC", lags_hours=[1, 2]).splitlines()) == 3
    assert "fifth" in call(tools, "look_series", name="funding", lags_hours=[0, 8])
    assert "hours since" in call(tools, "look_series", name="notices", lags_hours=[])
    looks = [entry.what for entry in desk.bench.book.of(Look, "model")]
    assert len(looks) == 6
    assert all(entry.round == 2 for entry in desk.bench.book.of(Look))


@pytest.mark.parametrize(
    ("name", "arguments", "why"),
    [
        ("look_residuals", {"by": ["moon"]}, "one or two different keys"),
        ("look_residuals", {"by": []}, "one or two different keys"),
        ("look_periods", {"low_hours": 9, "high_hours": 3}, "low_hours must be below"),
        ("look_lags", {"asset": "BTCC", "other": "BTC", "lags_hours": [1]}, "BTC"),
        ("look_lags", {"asset": "ETH", "other": "BTC", "lags_hours": [1, 0]}, "whole hours from 1 to 500, got 0"),
        ("look_lags", {"asset": "ETH", "other": "BTC", "lags_hours": [2.5]}, "got 2.5"),
        ("look_lags", {"asset": "ETH", "other": "BTC", "lags_hours": []}, "1 to 48 lags, got 0"),
        ("look_series", {"name": "funding", "lags_hours": [-1, 501]}, "hours from 0 to 500, got -1, 501"),
        ("look_series", {"name": "funding", "lags_hours": [1] * 13}, "1 to 12 lags, got 13"),
        ("look_series", {"name": "fundings", "lags_hours": []}, "funding"),
    ],
)
def test_a_look_at_nothing_is_refused_and_not_counted(
    desk: Desk, tools: Toolset, name: str, arguments: dict[str, object], why: str
) -> None:
    assert why in call(tools, name, **arguments)
    assert desk.bench.book.of(Look) == []

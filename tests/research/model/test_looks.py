"""Looks are counted, bounded and of the past."""

from __future__ import annotations

import pytest

from synthcity.agents.tools import Toolset
from synthcity.research.labbook import Look
from synthcity.research.model.desk import Desk
from tests.research.model.conftest import call


def test_looks_are_counted_and_say_what_is_there(desk: Desk, tools: Toolset) -> None:
    header, first, *_ = call(tools, "look_periods", low_hours=3, high_hours=30).splitlines()
    assert "chance 95 %: " in header
    assert first.startswith(("7.0", "6.9"))
    header, *rows = call(tools, "look_phase", hours=7).splitlines()
    assert header.split("\t") == ["from", "first_half", "second_half", "BTC", "ETH"]
    swings = [[float(mean) for mean in row.split("\t")[1:]] for row in rows]
    assert len(swings) == 8
    assert all(max(column) > 1.3 > 0.9 > min(column) for column in zip(*swings, strict=True))
    assert "left out, in the same order: " in call(tools, "look_residuals", by=["hour", "minute"])
    header, *rows = call(tools, "look_lags", asset="ETH", other="BTC", lags_hours=[1, 14]).splitlines()
    assert header.count("chance 95 %: ") == 2
    assert [row.split("\t")[0] for row in rows] == ["1", "14"]
    assert rows[0].endswith("\t-")  # memory alone bends so early
    lines = call(tools, "look_series", name="funding").splitlines()
    assert [line.split("\t")[0] for line in lines[2:51]] == [str(lag) for lag in range(49)]
    assert len(lines[-1].split(";")) == 10
    assert "hours since" in call(tools, "look_series", name="notices")
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
        ("look_series", {"name": "funding", "from_hours": 8, "to_hours": 57}, "to_hours must be 8 to 56, got 57"),
        ("look_series", {"name": "funding", "from_hours": 8, "to_hours": 7}, "to_hours must be 8 to 56, got 7"),
        ("look_series", {"name": "fundings"}, "funding"),
    ],
)
def test_a_look_at_nothing_is_refused_and_not_counted(
    desk: Desk, tools: Toolset, name: str, arguments: dict[str, object], why: str
) -> None:
    assert why in call(tools, name, **arguments)
    assert desk.bench.book.of(Look) == []

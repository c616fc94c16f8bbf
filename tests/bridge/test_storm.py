"""A small storm, and that a bridge that errs would be seen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from synthcity.bridge.place import Place
from synthcity.bridge.registry import operations
from tests.bridge.storm import rage


def test_no_request_breaks_the_bridge(place: Place) -> None:
    storm = rage(place, 250, seed=3)
    assert storm.problems == []
    assert storm.unkeyed == 0
    assert max(storm.statuses) < 500
    assert len(storm.reached) > 10


def test_a_fault_and_a_wrong_answer_are_seen(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def fault(_: object) -> None:
        raise ZeroDivisionError("planted")

    broken = replace(operations()["jobs"], act=fault)
    wrong = replace(operations()["history"], act=lambda _: {"runs": 3})
    monkeypatch.setitem(operations(), "jobs", broken)
    monkeypatch.setitem(operations(), "history", wrong)
    problems = " ".join(rage(place, 250, seed=3).problems)
    assert "ZeroDivisionError: planted" in problems
    assert "is not as described" in problems

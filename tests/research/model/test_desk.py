"""Looks are counted, bounded and of the past; inputs are tested in locked children alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from synthcity.agents.tools import Toolset
from synthcity.authored.locked.isolation import check_isolation
from synthcity.authored.locked.lock import NotIsolated
from synthcity.errors import Fatal, RunError
from synthcity.research.bench import Bench
from synthcity.research.labbook import LabBook, Look, Origin, Tried
from synthcity.research.measuring.residuals import Residuals
from synthcity.research.measuring.trial import Judge
from synthcity.research.model.desk import ROLE, TOOLS, Desk
from synthcity.research.written import panel_of
from tests.research.conftest import FOLDS, WAVE, Wave, market_of


@pytest.fixture
def desk(swinging: Judge, tmp_path: Path) -> Iterator[Desk]:
    known = swinging.known
    with LabBook(tmp_path) as book:
        yield Desk(
            bench=Bench("model", swinging, FOLDS, book),
            residuals=Residuals.of(swinging.cases, FOLDS.confirm.start),
            known=known,
            panel=panel_of(market_of(known), known),
            round=2,
            tests=2,
        )


@pytest.fixture
def tools(desk: Desk) -> Toolset:
    return TOOLS.build_toolset(ROLE, desk)


def call(tools: Toolset, tool: str, /, **arguments: object) -> str:
    return tools.call(tool, json.dumps(arguments)).text


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


def test_a_file_is_read_first_and_only_what_may_run_is_a_test(desk: Desk, tools: Toolset) -> None:
    told = call(tools, "test_input", source="import os\n", hypothesis="none")
    assert "not counted as a test" in told
    assert desk.tests == 2
    assert desk.bench.book.of(Tried) == []


def test_a_name_is_taken_once(desk: Desk, tools: Toolset) -> None:
    desk.bench.test(Wave(name="seven_hours"), Origin(source="an earlier round's"), round=1)
    told = call(tools, "test_input", source=WAVE, hypothesis="again")
    assert "seven_hours was tested before; choose another NAME; not counted" in told
    assert (desk.tests, len(desk.bench.book.of(Tried))) == (2, 1)


@pytest.mark.parametrize("error", [NotIsolated("the process has ended"), RunError("the disk is full")])
def test_what_no_model_can_mend_ends_its_work(
    desk: Desk, tools: Toolset, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(desk.bench, "test", fail)
    monkeypatch.setattr(desk.bench.book, "add", fail)
    with pytest.raises(Fatal, match=str(error)):
        call(tools, "test_input", source=WAVE, hypothesis="something comes every seven hours")
    with pytest.raises(Fatal, match=str(error)):
        call(tools, "look_residuals", by=["hour"])


def isolated() -> bool:
    try:
        check_isolation()
    except NotIsolated:
        return False
    return True


@pytest.mark.slow
def test_an_input_that_a_model_wrote_is_tested_and_written_down(desk: Desk, tools: Toolset) -> None:
    if not isolated():
        pytest.skip("no process can be locked here")
    told = call(tools, "test_input", source=WAVE, hypothesis="something comes every seven hours")
    assert "promising" in told
    (entry,) = desk.bench.book.of(Tried, "model")
    assert entry.promising
    assert (entry.origin.source, entry.round) == (WAVE, 2)
    assert "tested before" in call(tools, "test_input", source=WAVE, hypothesis="again")
    crash = WAVE.replace("seven_hours", "crashing").replace("wave = np", "wave = np.zeros(3) + np")
    assert "refused" in call(tools, "test_input", source=crash, hypothesis="it fails")
    assert "call finish" in call(tools, "test_input", source=WAVE + "\n", hypothesis="more")
    assert [one.refused != "" for one in desk.bench.book.of(Tried)] == [False, True]

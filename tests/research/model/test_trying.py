"""Inputs and forecasters are tested in locked children alone, and only what may run is a test."""

from __future__ import annotations

import pytest

from synthcity.agents.tools import Toolset
from synthcity.authored.locked.isolation import check_isolation
from synthcity.authored.locked.lock import NotIsolated
from synthcity.research.labbook import Origin, Tried
from synthcity.research.model.desk import Desk
from tests.research.conftest import SWING, WAVE, Wave
from tests.research.model.conftest import call


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


def test_a_forecaster_is_read_first_too_and_shares_tests_and_names(desk: Desk, tools: Toolset) -> None:
    told = call(tools, "test_forecaster", source=WAVE, hypothesis="an input is none")
    assert "the file defines forecast(history, asset, ends, noise)" in told
    assert "not counted as a test" in told
    desk.bench.test(Wave(name="swing"), Origin(source="an earlier round's"), round=1)
    assert "swing was tested before" in call(tools, "test_forecaster", source=SWING, hypothesis="again")
    assert "may have 12,000" in call(tools, "test_forecaster", source=SWING + " " * 12_000, hypothesis="much")
    assert desk.tests == 2
    desk.tests = 0
    assert "call finish" in call(tools, "test_forecaster", source=SWING, hypothesis="more")


def test_a_file_that_fails_at_a_few_prompts_costs_no_test_until_as_many_have_failed(desk: Desk, tools: Toolset) -> None:
    if not isolated():
        pytest.skip("no process can be locked here")
    crash = WAVE.replace("wave = np", "wave = np.zeros(3) + np")
    told = call(tools, "test_input", source=crash, hypothesis="it fails")
    assert told.startswith("refused at a few prompts; not counted as a test: the feature seven_hours: ")
    failing = SWING.replace("return drawn", "return drawn[:1]")
    told = call(tools, "test_forecaster", source=failing, hypothesis="one path will do")
    why = "the forecaster swing: its answer has the shape (1, 48)"
    assert told.startswith(f"refused at a few prompts; not counted as a test: {why}")
    assert (desk.tests, desk.failures, desk.bench.book.of(Tried)) == (2, 2, [])
    told = call(tools, "test_forecaster", source=failing, hypothesis="one path will do")
    assert told.startswith("forecaster swing: refused: the forecaster swing: its answer has the shape (1, 48)")
    assert told.endswith("1 tests are left in this round")
    (entry,) = desk.bench.book.of(Tried, "model")
    assert (entry.origin, entry.promising) == (Origin(forecaster=failing), False)


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
    other = WAVE.replace("seven_hours", "other").replace("7 *", "9 *")
    assert "not promising" in call(tools, "test_input", source=other, hypothesis="every nine hours")
    assert "call finish" in call(tools, "test_input", source=WAVE + "\n", hypothesis="more")
    assert [one.name for one in desk.bench.book.of(Tried)] == ["seven_hours", "other"]

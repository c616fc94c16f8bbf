"""The live view at the sizes that terminals have."""

from __future__ import annotations

import io
import os
import re
from typing import Any

import pytest
from rich.console import Console

from synthcity.search.journal.history import TrialHistory
from synthcity.search.journal.progress import Progress
from synthcity.search.proposers.stall import again
from synthcity.search.screen.frame import Count, clock, frame
from tests.search.builders import candidate, tell
from tests.search.sample_run import journal


def drawn(width: int, height: int, *events: dict[str, Any], count: Count | None = None, since: float = 0.0) -> str:
    console = Console(file=io.StringIO(), width=width, height=height)
    console.print(frame(Progress(TrialHistory.replay(events)), since, height, count))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 35)])
def test_id_rung_and_scores_are_whole_and_nothing_is_below_the_last_line(width: int, height: int) -> None:
    lines = drawn(width, height, *journal(40)).splitlines()
    assert len(lines) <= height
    assert max(map(len, lines)) <= width
    rows = [line for line in lines if re.match(r" *c\d{4} ", line)]
    assert len(rows) >= height - 14
    for row in rows:
        assert re.search(r" (\d/\d +[−+]\d+\.\d\d % +[−+]\d+\.\d\d %|- +- +-) ", row), row
    assert sum("synthcity search" in line for line in lines) == 1
    assert any(f"and {40 - len(rows)} more" in line for line in lines)


def test_there_is_no_table_before_there_is_a_network() -> None:
    assert "rung" not in drawn(80, 24, *journal(0)[:1])
    assert drawn(80, 24).split() == ["synthcity", "search", "starts"]


def test_networks_that_wait_are_named_below_all_others() -> None:
    waiting = drawn(80, 24, *journal(0)[:1], *tell(candidate(0, "defaults"), status="queued"))
    assert re.search(r"c0000 +defaults +lstm>gbm d\d+ h\d+ +- .* queued", waiting)
    assert "network" in waiting, "no title is cut"
    rows = re.findall(r"c\d{4}", drawn(80, 24, *journal(3), *tell(candidate(3), status="queued")).partition("rung")[2])
    assert rows[-1] == "c0003"  # its number is the next


def test_what_was_stopped_without_a_score_comes_after_what_has_one() -> None:
    events = [*journal(3), *tell(candidate(3), status="stopped")]
    scored = [record.id for record in TrialHistory.replay(events).records if record.score is not None]
    rows = re.findall(r"c\d{4}", drawn(80, 24, *events).partition("rung")[2])
    assert set(rows[: len(scored)]) == set(scored)
    assert "c0003" in rows


def test_a_network_that_is_trained_again_is_shown_as_that() -> None:
    events = journal(4)
    known = TrialHistory.replay(events)
    repeated = again(known.trials["c0001"], known)
    text = drawn(120, 24, *events, *tell(repeated, 4000.0))
    assert "best so far c0004 (c0001 again)" in text
    assert "trained again 1" in text
    assert "rerun" not in text


def test_a_score_that_exploded_is_whole_at_eighty_columns() -> None:
    wild = [{**event, "score": 2e6, "rung_score": 2e6} if event["kind"] == "rung" else event for event in journal(4)]
    assert "+36014.12 %" in drawn(80, 24, *wild)


def test_a_stage_has_its_count_and_the_time_that_is_left() -> None:
    stage = {"kind": "stage", "name": "test", "message": "the one look at the test period", "time": 9e9}
    text = drawn(80, 24, *journal(4), stage, count=Count(done=120, of=270, seconds=40.0))
    assert "the one look at the test period: 120 of 270, about 50 s left" in text
    assert Count(done=0, of=270, seconds=4.0).text == "0 of 270"
    assert Count(done=270, of=270, seconds=4.0).text == "270 of 270"


def test_a_budget_that_is_over_is_told_to_be() -> None:
    progress = Progress(TrialHistory.replay(journal(4)))
    over = 1200 - progress.history.used_seconds + 65
    assert clock(progress, over) == "21:05 used, 1:05 over the budget"
    assert clock(progress, over - 66).endswith("used, 1 s left")


def test_a_busy_machine_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.setattr(os, "getloadavg", lambda: (14.2, 0.0, 0.0))
    assert "this machine is busy: 14 processes want its 2 cores" in drawn(80, 24, *journal(4))
    monkeypatch.setattr(os, "getloadavg", lambda: (3.9, 0.0, 0.0))
    assert "busy" not in drawn(80, 24, *journal(4))


def test_research_stands_in_the_picture_until_it_is_over() -> None:
    line = {"kind": "research", "text": "round 1 of 2, model: 3 tests so far", "time": 1.0}
    assert "research: round 1 of 2, model: 3 tests so far" in drawn(80, 24, *journal(3), line)
    end = {"kind": "researched", "sentence": "3 tested", "found": [], "inputs": [], "forecasters": []}
    assert "research" not in drawn(80, 24, *journal(3), line, {**end, "seconds": 1.0, "usd": 0.0, "time": 2.0})

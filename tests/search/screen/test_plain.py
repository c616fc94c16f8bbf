"""A search as lines."""

from __future__ import annotations

import io
import re
import time

import pytest
from rich.console import Console

from synthcity.search.journal.history import TrialHistory
from synthcity.search.journal.progress import Progress
from synthcity.search.screen.display import LiveDisplay, open_display
from synthcity.search.screen.frame import trial_table
from synthcity.search.screen.plain import PlainDisplay, plain_line
from tests.search.builders import candidate, tell
from tests.search.sample_run import BEGIN, journal


def progress_of(*events: dict) -> Progress:
    return Progress(TrialHistory.replay(events))


def told(*events: dict, before: int = 0) -> list[str]:
    """What is printed of ``events``; the first ``before`` of them happened in an earlier session."""
    stream, history = io.StringIO(), TrialHistory.replay(events[:before])
    with PlainDisplay(Console(file=stream)) as display:
        display.begin(history)
        for event in events[before:]:
            history = history.after(event)
            display.update(event, history)
    return stream.getvalue().splitlines()


def test_plain_lines_tell_start_rungs_failures_and_time_left():
    lines = told(*journal(6))
    assert lines[0].startswith("[20:00 left] started sweep: crypto-24h on BTC, ETH")
    assert any("trial c0000 is next: " in line and line.endswith(", by author") for line in lines)
    assert any("rung 1/4" in line and "over fhs" in line and "steps/s" in line for line in lines)
    assert any("failed: TrialFailed: the loss is not finite" in line for line in lines)
    assert any("best so far" in line for line in lines)


def test_a_resumed_search_does_not_repeat_what_was_told_before():
    everything = told(*journal(6))
    later = told(*journal(6), before=20)
    assert 0 < len(later) < len(everything)
    assert everything[-len(later) :] == later


def test_finals_and_troubles_have_their_lines():
    lines = told(*journal(6))
    assert any("finalist c0001: 5512.0 on fresh validation prompts" in line for line in lines)
    assert lines[-1].endswith("mix-3 is frozen with 5509.0 on fresh validation prompts")
    troubles = (
        {"kind": "worker_died", "id": "c0001", "time": 1.0},
        {"kind": "tune_lost", "error": "OSError: gone", "time": 1.0},
        {"kind": "proposer_failed", "source": "tpe", "error": "ValueError: no", "time": 1.0},
    )
    for event, words in zip(troubles, ("trial c0001 died", "OSError: gone", "tpe failed: ValueError"), strict=True):
        assert words in str(plain_line(progress_of(), event))
    answered = {"kind": "answered", "source": "llm.refine", "question": 0, "proposals": [{}], "usd": 0.01, "error": ""}
    assert plain_line(progress_of(), answered) == "llm.refine proposes 1 candidate for 0.0100 USD"
    assert "a correction failed: cold" in str(plain_line(progress_of(), {**answered, "error": "cold"}))
    assert plain_line(progress_of(), {"kind": "checkpoint", "id": "c0001", "time": 1.0}) is None


def test_no_terminal_means_plain_lines_and_a_terminal_a_table():
    assert isinstance(open_display(Console(file=io.StringIO())), PlainDisplay)
    assert isinstance(open_display(Console(file=io.StringIO(), force_terminal=True)), LiveDisplay)


def test_a_rung_is_shown_by_its_own_score_and_the_best_beside_it():
    events = [{"kind": "baselines", "scores": {"fhs": 5000.0}, "time": 0.0}, *tell(candidate(0), status="running")]
    best = 9999.0
    for rung, own in enumerate((4970.0, 4998.0, 4990.5, 4995.5), start=1):
        best = min(best, own)
        events.append(
            {"kind": "rung", "time": 1.0, "id": "c0000", "rung": rung, "num_rungs": 4, "score": best, "rung_score": own}
        )
    shown = [line.split(": ", 1)[1] for line in told(*events) if "rung" in line]
    assert shown == [
        "−0.60 % over fhs, best so far",
        "−0.04 % over fhs; its best rung: −0.60 % over fhs",
        "−0.19 % over fhs; its best rung: −0.60 % over fhs",
        "−0.09 % over fhs; its best rung: −0.60 % over fhs",
    ]
    console = Console(file=io.StringIO(), width=140)
    console.print(trial_table(progress_of(*events), 5))
    assert re.search(r"4/4 +−0.09 % +−0.60 %", console.file.getvalue())


def test_finalists_are_not_held_against_scores_on_other_prompts():
    lines = told(*journal(2), {"kind": "finalist", "name": "fhs", "id": None, "score": 5600.0, "time": BEGIN})
    assert "finalist fhs: 5600.0 on fresh validation prompts" in lines[-1]


def test_the_clock_goes_on_while_a_stage_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    stream, events = io.StringIO(), journal(1)[:1]
    display = PlainDisplay(Console(file=stream))
    display.update(events[0], TrialHistory.replay(events))
    later = time.monotonic() + 90.0
    monkeypatch.setattr(time, "monotonic", lambda: later)
    display.count(5, 62)
    assert re.match(r"\[18:(29|30) left\] .*: 5 of 62", stream.getvalue().splitlines()[-1])
    display.count(6, 62)
    assert "6 of 62" not in stream.getvalue(), "now and then is enough"


def test_research_beside_the_trials_has_its_lines():
    line = {"kind": "research", "text": "round 1 of 2, model: 3 tests so far", "time": 1.0}
    end = {"kind": "researched", "sentence": "3 tested, 0 promising, 0 of 0 claims kept", "time": 1.0}
    assert plain_line(progress_of(), line) == "research: round 1 of 2, model: 3 tests so far"
    assert plain_line(progress_of(), end) == "research is over: 3 tested, 0 promising, 0 of 0 claims kept"

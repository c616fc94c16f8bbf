"""What a user sees of a search, from the journal's events alone."""

from __future__ import annotations

import io
import re

from rich.console import Console, Group

from synthcity.search.journal.history import TrialHistory
from synthcity.search.journal.progress import Progress
from synthcity.search.report.display import LiveDisplay, PlainDisplay, header, open_display, plain_line, trial_table
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
    assert any("rung 1/4" in line and "against fhs" in line and "steps/s" in line for line in lines)
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


def test_the_live_table_shows_trials_best_lead_and_budget():
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=120, height=30)
    with LiveDisplay(console) as display:
        display.begin(TrialHistory.replay(journal(8)))
        console.print(display._render())
    text = stream.getvalue()
    for word in ("synthcity search", "sweep", "best so far", "failures", "lstm", "vs fhs", "8 trials"):
        assert word in text, word


def test_trial_rung_and_scores_are_whole_at_eighty_columns():
    console = Console(file=io.StringIO(), width=80)
    console.print(trial_table(progress_of(*journal(8)), 8))
    title, _, *rows = [line for line in console.file.getvalue().splitlines() if line.strip()]
    assert all(word in title for word in ("trial", "rung", "vs fhs", "its best", "steps/s", "state"))
    assert len(rows) == 8
    for row in rows:
        assert re.match(r"\s*c\d{4} ", row), row
        assert re.search(r" (completed|stopped|failed)", row), row
        assert re.search(r" (\d/\d +[−+]\d\.\d\d % +[−+]\d\.\d\d %|- +- +-) ", row), row


def test_progress_counts_and_compares():
    progress = progress_of(*journal(16))
    assert progress.num_failed == 2
    assert progress.num_finished == 16
    assert progress.best_baseline == ("fhs", 5538.0)
    best = progress.best_trial
    assert best is not None
    assert progress.relative(best.score) < 0
    assert 0.5 < progress.utilisation() <= 1.0


def test_what_ran_when_a_session_ended_waits_again_and_the_pause_does_not_count():
    events = [event for event in journal(2) if event["time"] < BEGIN + 30]
    resumed = {**events[0], "kind": "run_resumed", "time": BEGIN + 10_000}
    progress = progress_of(*events, resumed)
    assert {record.status for record in progress.history.records} == {"queued"}
    assert progress.history.used_seconds < 40
    assert progress.left_seconds(10.0) > 1150


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
        "−0.60 % against fhs, best so far",
        "−0.04 % against fhs; its best rung: −0.60 % against fhs",
        "−0.19 % against fhs; its best rung: −0.60 % against fhs",
        "−0.09 % against fhs; its best rung: −0.60 % against fhs",
    ]
    console = Console(file=io.StringIO(), width=140)
    console.print(trial_table(progress_of(*events), 5))
    assert "4/4   −0.09 %    −0.60 %" in console.file.getvalue()


def test_finalists_are_not_held_against_scores_on_other_prompts():
    lines = told(*journal(2), {"kind": "finalist", "name": "fhs", "id": None, "score": 5600.0, "time": BEGIN})
    assert "finalist fhs: 5600.0 on fresh validation prompts" in lines[-1]


def test_the_header_tells_who_proposed_what_it_cost_and_who_is_away():
    away = {"kind": "arm_state", "source": "llm.structure", "state": "closed", "reason": "no key", "time": BEGIN}
    answered = {"kind": "answered", "source": "llm.refine", "usd": 0.01, "proposals": [], "error": "", "time": BEGIN}
    console = Console(file=io.StringIO(), width=140)
    console.print(Group(*header(progress_of(*journal(6), away, answered), 100.0)))
    text = console.file.getvalue()
    assert "llm.refine 0 0.0100 USD   llm.structure 0 closed" in text

"""What a user sees of a search, from the journal's events alone."""

from __future__ import annotations

import io
import re

from rich.console import Console, Group

from synthcity.search.journal.history import TrialHistory
from synthcity.search.journal.progress import Progress
from synthcity.search.screen.display import LiveDisplay
from synthcity.search.screen.frame import header, trial_table
from tests.search.sample_run import BEGIN, journal


def progress_of(*events: dict) -> Progress:
    return Progress(TrialHistory.replay(events))


def test_the_live_table_shows_trials_best_lead_and_budget():
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=120, height=30)
    with LiveDisplay(console) as display:
        display.begin(TrialHistory.replay(journal(8)))
        console.print(display.render())
    text = stream.getvalue()
    for word in ("synthcity search", "sweep", "best so far", "failed", "lstm", "over fhs", "8 trials"):
        assert word in text, word


def test_trial_rung_and_scores_are_whole_at_eighty_columns():
    console = Console(file=io.StringIO(), width=80)
    console.print(trial_table(progress_of(*journal(8)), 8))
    title, _, *rows = [line for line in console.file.getvalue().splitlines() if line.strip()]
    assert all(word in title for word in ("trial", "rung", "over fhs", "its best", "steps/s", "state"))
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


def test_the_header_tells_who_proposed_what_it_cost_and_who_is_away():
    away = {"kind": "arm_state", "source": "llm.structure", "state": "closed", "reason": "no key", "time": BEGIN}
    answered = {"kind": "answered", "source": "llm.refine", "usd": 0.01, "proposals": [], "error": "", "time": BEGIN}
    console = Console(file=io.StringIO(), width=140)
    console.print(Group(*header(progress_of(*journal(6), away, answered), 100.0)))
    text = console.file.getvalue()
    assert "llm.refine 0 0.0100 USD  llm.structure 0 closed" in text

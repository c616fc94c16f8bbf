"""What a user sees of a search, from the journal's events alone."""

from __future__ import annotations

import io

from rich.console import Console, Group

from synthcity.search.journal.progress import Progress, duration
from synthcity.search.report.display import LiveDisplay, PlainDisplay, header, open_display, plain_line
from tests.search.sample_run import BEGIN, journal


def told(num_trials: int = 6, since: float = 0.0) -> list[str]:
    stream = io.StringIO()
    with PlainDisplay(Console(file=stream), since=since) as display:
        for event in journal(num_trials):
            display.update(event)
    return stream.getvalue().splitlines()


def test_plain_lines_tell_start_rungs_failures_and_time_left():
    lines = told()
    assert lines[0].startswith("[20:00 left] started sweep: crypto-24h on BTC, ETH")
    assert any("rung 1/4" in line and "against fhs" in line and "steps/s" in line for line in lines)
    assert any("failed: TrialFailed: the loss is not finite" in line for line in lines)
    assert any("best so far" in line for line in lines)


def test_a_resumed_search_does_not_repeat_what_was_told_before():
    everything = told()
    later = told(since=BEGIN + 60)
    assert 0 < len(later) < len(everything)
    assert everything[-len(later) :] == later


def test_finals_and_troubles_have_their_lines():
    lines = told()
    assert any("finalist t001: 5512.0 on fresh validation prompts" in line for line in lines)
    assert lines[-1].endswith("best on fresh validation prompts: mix-3")
    troubles = (
        {"kind": "worker_died", "id": "t001", "time": 1.0},
        {"kind": "tune_lost", "error": "OSError: gone", "time": 1.0},
        {"kind": "proposer_failed", "source": "tpe", "error": "ValueError: no", "time": 1.0},
    )
    for event, words in zip(troubles, ("trial t001 died", "OSError: gone", "tpe failed: ValueError"), strict=True):
        assert words in str(plain_line(Progress(), event))
    answered = {"kind": "answered", "source": "llm.refine", "question": 0, "proposals": [{}], "usd": 0.01, "error": ""}
    assert plain_line(Progress(), answered) == "llm.refine proposes 1 candidate for 0.0100 USD"
    assert "a correction failed: cold" in str(plain_line(Progress(), {**answered, "error": "cold"}))
    assert plain_line(Progress(), {"kind": "checkpoint", "id": "t001", "time": 1.0}) is None


def test_no_terminal_means_plain_lines_and_a_terminal_a_table():
    assert isinstance(open_display(Console(file=io.StringIO())), PlainDisplay)
    assert isinstance(open_display(Console(file=io.StringIO(), force_terminal=True)), LiveDisplay)


def test_the_live_table_shows_trials_best_lead_and_budget():
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=120, height=30)
    with LiveDisplay(console) as display:
        for event in journal(8):
            display.update(event)
        console.print(display._render())
    text = stream.getvalue()
    for word in ("synthcity search", "sweep", "best so far", "failures", "lstm", "vs fhs", "8 trials"):
        assert word in text, word


def test_progress_counts_and_compares():
    progress = Progress(journal(16))
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
    progress = Progress([*events, resumed])
    assert {trial.state for trial in progress.trials.values()} == {"waiting"}
    assert progress.used_seconds() < 40
    assert progress.left_seconds(BEGIN + 10_010) > 1150


def test_durations_read_well():
    assert [duration(s) for s in (7, 65, 3700)] == ["7 s", "1:05", "1:01:40"]


def test_finalists_are_not_held_against_scores_on_other_prompts():
    stream = io.StringIO()
    with PlainDisplay(Console(file=stream), since=0.0) as display:
        for event in [*journal(2), {"kind": "finalist", "name": "fhs", "id": None, "score": 5600.0, "time": BEGIN}]:
            display.update(event)
    assert "finalist fhs: 5600.0 on fresh validation prompts" in stream.getvalue().splitlines()[-1]


def test_the_header_tells_who_proposed_what_it_cost_and_who_is_away():
    away = {"kind": "arm_state", "source": "llm.structure", "state": "closed", "reason": "no key", "time": BEGIN}
    answered = {"kind": "answered", "source": "llm.refine", "usd": 0.01, "proposals": [], "error": "", "time": BEGIN}
    console = Console(file=io.StringIO(), width=140)
    console.print(Group(*header(Progress([*journal(6), away, answered]), BEGIN + 100)))
    text = console.file.getvalue()
    assert "llm.refine 0 0.0100 USD   llm.structure 0 closed" in text

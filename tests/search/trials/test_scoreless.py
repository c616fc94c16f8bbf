"""What is said where no trial came to a score."""

from __future__ import annotations

from typing import Any

from synthcity.durations import parse_duration
from synthcity.search.config import BudgetConfig
from synthcity.search.journal.history import TrialHistory
from synthcity.search.trials.scoreless import why_scoreless
from tests.search.builders import candidate, tell
from tests.search.sample_run import BEGIN, journal

END: dict[str, Any] = {"kind": "trial_finished", "time": 9e3, "id": "c0000", "status": "stopped", "score": None}
LATE: dict[str, Any] = {
    **END,
    "reason": "the time budget of the search was used: no time was left to reach a first rung",
}
QUEUED = tell(candidate(0), status="queued")


def test_who_ran_out_of_time_is_told_how_to_go_on() -> None:
    told = why_scoreless(TrialHistory.replay([*QUEUED, LATE]), BudgetConfig(time_budget=240.0))
    assert told == f"{LATE['reason']}; the same command with --resume --set search.time_budget=8m goes on"


def test_what_was_used_beyond_the_budget_is_not_lacking_once_more() -> None:
    late: list[Any] = [
        {**event, "time": BEGIN + after} for event, after in zip([*QUEUED, LATE], (1.0, 90.0), strict=True)
    ]
    history = TrialHistory.replay([*journal(0)[:1], *late])
    told = why_scoreless(history, BudgetConfig(time_budget=5.0))
    longer = parse_duration(told.partition("search.time_budget=")[2].removesuffix(" goes on"))
    assert longer >= 2 * history.used_seconds > 5.0


def test_more_time_is_no_remedy_for_what_fails() -> None:
    failed = TrialHistory.replay([*tell(candidate(1), status="failed"), *QUEUED, LATE])
    assert why_scoreless(failed, BudgetConfig(time_budget=240.0)) == f"the loss became nan; {LATE['reason']}"
    assert why_scoreless(TrialHistory.replay([]), BudgetConfig(time_budget=240.0)) == "none was admitted"

"""What is said where no trial came to a score."""

from __future__ import annotations

from synthcity.search.config import BudgetConfig
from synthcity.search.journal.history import TrialHistory
from synthcity.search.trials.scoreless import why_scoreless
from tests.search.builders import candidate, tell

END = {"kind": "trial_finished", "time": 9e3, "id": "c0000", "status": "stopped", "score": None}
LATE = {**END, "reason": "the time budget of the search was used: no time was left to reach a first rung"}
QUEUED = tell(candidate(0), status="queued")


def test_who_ran_out_of_time_is_told_how_to_go_on() -> None:
    told = why_scoreless(TrialHistory.replay([*QUEUED, LATE]), BudgetConfig(time_budget=240.0))
    assert told == f"{LATE['reason']}; the same command with --resume --set search.time_budget=8m goes on"


def test_more_time_is_no_remedy_for_what_fails() -> None:
    failed = TrialHistory.replay([*tell(candidate(1), status="failed"), *QUEUED, LATE])
    assert why_scoreless(failed, BudgetConfig(time_budget=240.0)) == f"the loss became nan; {LATE['reason']}"
    assert why_scoreless(TrialHistory.replay([]), BudgetConfig(time_budget=240.0)) == "none was admitted"

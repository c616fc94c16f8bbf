"""Why no trial came to a score, and what to do about it."""

from __future__ import annotations

import math

from synthcity.durations import write_duration
from synthcity.search.config import BudgetConfig
from synthcity.search.journal.history import TrialHistory

TIME_USED = "the time budget of the search was used"
"""What the reason of a trial begins with that lacked nothing but time."""


def why_scoreless(history: TrialHistory, budget: BudgetConfig) -> str:
    """Say what kept every trial from a score, and how to go on where that was time alone, as on a busy machine."""
    causes = {record.failure["message"] if record.failure else record.reason for record in history.records}
    causes |= {rejection.reason for rejection in history.rejections if not causes}
    told = "; ".join(sorted(causes)) or "none was admitted"
    if budget.time_budget is None or not causes or not all(cause.startswith(TIME_USED) for cause in causes):
        return told
    longer = write_duration(2 * math.ceil(max(budget.time_budget, history.used_seconds)))  # what was used counts
    return f"{told}; the same command with --resume --set search.time_budget={longer} goes on"

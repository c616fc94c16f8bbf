"""Asynchronous successive halving: a trial that is not among the best third at a milestone rung is stopped.

The rule of ASHA (Li et al., 2020) as a function of the search's own history rather than of a scheduler's memory,
so that a resumed search stops by all results that were ever reported.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from synthcity.search.journal.history import TrialHistory


def falls_behind(score: float, others: Sequence[float], reduction: float) -> bool:
    """Whether ``score`` (lower is better) is worse than the best 1/reduction of ``others`` at the same rung.

    False until there are ``reduction`` others to compare with: the first trials always run on.
    """
    return len(others) >= reduction and score > float(np.quantile(others, 1.0 / reduction))


def scores_at(history: TrialHistory, rung: int, *, without: str) -> list[float]:
    """Scores that the other networks reported at ``rung``; a leader that is trained again counts once."""
    return [
        entry["score"]
        for record in history.first_trainings
        if record.candidate.id != without
        for entry in record.rungs
        if entry["rung"] == rung
    ]

"""What a model of the scores is told of a search.

It is told of so many trials at most, the best and the newest of a long search, since the time of a call grows with all
of them. Candidates of other sources are told like its own, each network once, by the mean of its seeds, and one that
was stopped by what it would have come to (``standings``). A failed candidate is told with the running 90th percentile
of the scores, which keeps a model away from where networks crash without letting one enormous value bend it. What runs
is told without a score, and so is what was stopped before it ever said anything.
"""

from __future__ import annotations

import numpy as np

from synthcity.search.journal.history import FAILED, TrialHistory, TrialRecord
from synthcity.search.journal.standings import whole_scores

FAILURE_QUANTILE = 90.0
_GOOD = 25  # told of a long search, however old


def told(history: TrialHistory, most: int) -> list[tuple[TrialRecord, float | None]]:
    """Return the trials that are told, in their order, with their scores (bp); ``most`` bounds those that ended."""
    whole = whole_scores(history.records)
    finished = [record for record in history.first_trainings if record.finished and record.score is not None]
    scores = [whole[record.candidate.hash] for record in finished]
    failure = float(np.percentile(scores, FAILURE_QUANTILE)) if scores else 0.0

    def score(record: TrialRecord) -> float | None:
        if not record.finished:
            return None
        return failure if record.status == FAILED else whole.get(record.candidate.hash)

    return [(record, score(record)) for record in worth_telling(history, most)]


def worth_telling(history: TrialHistory, most: int) -> list[TrialRecord]:
    """Return all networks of a short search; of a long one the best, the newest and those that run, in their order."""
    records = history.first_trainings
    finished = [record for record in records if record.finished]
    if len(finished) <= most:
        return records
    best = [record for record in history.ranked if record.finished][:_GOOD]
    worth = {record.id for record in (*best, *finished[_GOOD - most :])}
    return [record for record in records if record.id in worth or not record.finished]

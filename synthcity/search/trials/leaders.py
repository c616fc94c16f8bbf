"""Which network is trained again on a fresh seed, so that a leader is not believed for one lucky training.

A quarter of the trials at most goes to the best of what the search began with and to the three best networks that were
trained to their end, until each has three trainings; since a seed moves all networks alike, only those trained on the
same seeds can be compared. A search that compares what people wrote trains nothing twice.
"""

from __future__ import annotations

from synthcity.search.arms import RERUN
from synthcity.search.journal.history import TrialHistory, TrialRecord
from synthcity.search.proposers.stall import seeds_of

_LEADERS = 3
_SEEDS = 3
_SHARE = 0.25  # of all trials
_BEGIN = 10  # finished trials: before them nobody leads


def doubted(history: TrialHistory) -> TrialRecord | None:
    """Return the leader that wants a fresh seed next, None where none does."""
    reruns = [record for record in history.records if record.candidate.source == RERUN]
    if len(history.finished) < _BEGIN or len(reruns) + 1 > _SHARE * len(history.records):
        return None
    seeds = seeds_of(history)
    open_ = {record.candidate.hash for record in reruns if not record.finished}
    full = [record for record in history.scored if record.candidate.hash in seeds]
    leaders, first = full[:_LEADERS], next((r for r in full if r.candidate.hash in history.began), None)
    leaders += [first] if first is not None and first not in leaders else []
    wanting = [r for r in leaders if len(seeds[r.candidate.hash]) < _SEEDS and r.candidate.hash not in open_]
    return min(wanting, key=lambda record: len(seeds[record.candidate.hash]), default=None)

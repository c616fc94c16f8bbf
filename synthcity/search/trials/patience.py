"""Whether a search goes on in vain: nothing that it found of late is better than what it had, beyond noise.

Scores alone cannot tell: the best of many equals falls and falls. So a gain is a difference in pairs, on the same
blocks of days and the same training seed, that is left when as much of it is believed as its noise allows.
"""

from __future__ import annotations

import numpy as np

from synthcity.forecast.evaluation.evidence import paired, shrunk
from synthcity.search.arms import FIRST, RERUN
from synthcity.search.journal.history import COMPLETED, TrialHistory, TrialRecord

_SURE = 2.0  # standard deviations of noise: many are looked at, and one of them would be a gain by chance


def fruitless(history: TrialHistory) -> int:
    """Return how many networks in a row, up to the last, were no gain over the best before them.

    Counted are finished trials of what proposers found, stopped ones too, in the order of admission; the first best is
    that of the networks that the search began with.
    """
    # of a network with several seeds the first training, which had the seed that all others had
    began = (record for record in history.ranked if record.candidate.hash in history.began)
    best = next((r for r in began if r.status == COMPLETED and r.blocks is not None), None)
    count = 0
    for record in history.finished:
        if record.candidate.source in (FIRST, RERUN) or record.candidate.hash in history.began:
            continue
        if best is not None and _gains(record, best):
            best, count = record, 0
        else:
            count += 1
    return count


def _gains(record: TrialRecord, best: TrialRecord) -> bool:
    own, other = record.blocks, best.blocks
    if own is None or other is None or len(own) != len(other):
        return False
    scores, weights = np.array(other).T
    [found] = paired(np.array(own)[None, :, 0], scores, weights)
    believed = shrunk(found)
    return believed.mean + _SURE * believed.error < 0

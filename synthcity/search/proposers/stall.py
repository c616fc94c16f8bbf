"""Whether a search still gets better, noise set aside, and what is done when it does not.

The spread over seeds is measured, not guessed: the incumbent is trained twice more on fresh seeds. From then on only a
lead of more than one standard deviation is a gain, and only after the new best was trained twice more too and leads in
the mean of its seeds. No gain within a window of trials is a stall, which is met in steps: questions to the language
model get warmer and ask for structure; then the best trials are hidden from it; then a stronger model is asked, once;
then the classical arms have the search to themselves for a while, and it begins again. A gain resets all of it.

It is a function of the history. Only a search that asks a language model has a use for it.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from synthcity.search.arms import RERUN
from synthcity.search.candidates.candidate import Candidate
from synthcity.search.journal.history import COMPLETED, TrialHistory, TrialRecord

WARMER, HIDDEN, STRONGER, HANDED_OVER = 1, 2, 3, 4
STEPS = (
    "",
    "the language model is asked more warmly, and for structure",
    "the best trials are hidden from the language model",
    "a stronger language model is asked, where llm.stronger names one",
    "the classical arms have the search to themselves",
)
_MIN_WINDOW = 10
_WINDOW_SHARE = 0.15  # of the trials
_PAUSE = 20  # trials without a language model, before it is tried again
_SEEDS = 2  # fresh ones
_RERUN_SHARE = 0.1  # of the trials, all fresh seeds together; never less than the first measurement


@dataclass(frozen=True, kw_only=True)
class StallState:
    """Where a search stands.

    Attributes:
        level: 0 while it gains, else how far the answer to its stall has gone (``WARMER`` ... ``HANDED_OVER``).
        since: finished trials since the last gain.
        noise: standard deviation of a score over seeds (bp), None before it was measured.
        rerun: a trial that wants a fresh seed, None where none does.
    """

    level: int
    since: int
    noise: float | None = None
    rerun: TrialRecord | None = None


def standing(history: TrialHistory, trials: int) -> StallState:
    """Judge a search that may have ``trials`` trials."""
    window = max(_MIN_WINDOW, math.ceil(_WINDOW_SHARE * trials))
    seeds = seeds_of(history)
    noise = spread(seeds)
    reruns = [record for record in history.records if record.candidate.source == RERUN]
    running = {record.candidate.hash for record in reruns if not record.finished}
    affordable = len(reruns) < max(_SEEDS, math.floor(_RERUN_SHARE * trials))
    best, count, last_gain = math.inf, 0, 0
    rerun: TrialRecord | None = None
    for record in history.finished:
        if record.candidate.source == RERUN:
            continue
        count += 1
        if record.score is None:
            continue
        known = seeds[record.candidate.hash]
        value = record.score if noise is None or not known else float(np.mean(known))
        if value >= best - (noise or 0.0):
            continue
        doubted = noise is not None and count > window and 0 < len(known) <= _SEEDS
        if doubted and (affordable or record.candidate.hash in running):
            rerun = record if rerun is None or value < (rerun.score or 0.0) else rerun
            continue
        best, last_gain, rerun = value, count, None
    if noise is None and count >= window:
        full = [record for record in history.scored if record.status == COMPLETED]
        begun = [record for record in full if len(seeds[record.candidate.hash]) > 1]
        rerun = next(iter(begun + full), None)
    if running or not affordable:
        rerun = None
    return StallState(level=_level(count - last_gain, window), since=count - last_gain, noise=noise, rerun=rerun)


def again(record: TrialRecord, history: TrialHistory) -> Candidate:
    """Return the candidate that trains a trial's network on a fresh seed, which its number gives it."""
    known = next(one.candidate for one in history.records if one.candidate.hash == record.candidate.hash)
    return Candidate(
        index=len(history.trials),
        source=RERUN,
        config=known.config,
        hash=known.hash,
        parent=known.id,
        rationale=f"{known.id} on a fresh seed",
    )


def seeds_of(history: TrialHistory) -> dict[str, list[float]]:
    """Return the scores of full trainings by the hash of the network."""
    found: dict[str, list[float]] = defaultdict(list)
    for record in history.finished:
        if record.status == COMPLETED and record.score is not None:
            found[record.candidate.hash].append(record.score)
    return found


def spread(seeds: dict[str, list[float]]) -> float | None:
    """Return the standard deviation over seeds (bp), pooled over networks with several; None with too few to tell."""
    several = [scores for scores in seeds.values() if len(scores) > 1]
    freedom = sum(len(scores) - 1 for scores in several)
    squares = sum(float(np.var(scores)) * len(scores) for scores in several)
    return math.sqrt(squares / freedom) if freedom >= _SEEDS else None


def _level(since: int, window: int) -> int:
    if since < window:
        return 0
    at = (since - window) % (STRONGER * window + _PAUSE)
    return min(WARMER + at // window, HANDED_OVER)

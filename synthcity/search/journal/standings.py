"""Scores that may be compared, since they are of networks that were trained alike.

A trial that was stopped has the score of a part of a training, and most of what a training gains comes in its first
half. Beside the scores of whole trainings it looks worse than it is. So two trials are compared at the last rung that
both have (``common``), and where many stand in one order, a stopped one counts as what it would have come to, had it
gained from there what others gained in the mean (``whole_scores``). Those that went on are the better ones, so that is
a guess, which proposers may learn from; nobody is frozen by it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean

from synthcity.search.arms import RERUN
from synthcity.search.journal.record import COMPLETED, FAILED, STOPPED, TrialRecord


def common(first: TrialRecord, second: TrialRecord) -> tuple[float, float, int | None] | None:
    """Return the scores of two trials at the last rung that both have, and that rung; None where one has no score.

    The rung is None where both are whole: then the scores are those that they came to.
    """
    if first.score is None or second.score is None:
        return None
    if first.status == second.status == COMPLETED:
        return first.score, second.score, None
    rung = min(first.rungs[-1]["rung"], second.rungs[-1]["rung"])
    return score_at(first, rung), score_at(second, rung), rung


def score_at(record: TrialRecord, rung: int) -> float:
    """Return the best score of a trial up to ``rung``, which it has."""
    return min(told["score"] for told in record.rungs if told["rung"] <= rung)


def extent(record: TrialRecord) -> str:
    """Say how far a training came that was not whole, as in "rung 1 of 4"; "" where it was."""
    last = record.last
    return "" if last is None or record.status in (COMPLETED, FAILED) else f"rung {last['rung']} of {last['num_rungs']}"


def trainings(records: Iterable[TrialRecord]) -> dict[str, list[TrialRecord]]:
    """Return the trials with a score by their network (hash), in their order.

    Once one of a network's was trained to its end, those that were not do not count.
    """
    found: dict[str, list[TrialRecord]] = defaultdict(list)
    for record in records:
        if record.score is not None:
            found[record.candidate.hash].append(record)
    found.update({name: full for name, same in found.items() if (full := [r for r in same if r.status == COMPLETED])})
    return dict(found)


def mean_scores(same: Mapping[str, Sequence[TrialRecord]]) -> dict[str, float]:
    """Return the mean over the trainings of each network, what each seed does to all networks taken out."""
    shift = _seed_shifts([[record.score or 0.0 for record in one] for one in same.values()])
    return {
        name: fmean((record.score or 0.0) - shift[number] for number, record in enumerate(one))
        for name, one in same.items()
    }


def whole_scores(records: Iterable[TrialRecord]) -> dict[str, float]:
    """Return by network (hash) its score as if all had been trained to the end; none of those that only failed."""
    records = list(records)
    same = trainings(records)
    gains = _gains([record for record in records if record.candidate.source != RERUN])
    return {
        name: score + (_rest(same[name][-1], gains) if same[name][-1].status == STOPPED else 0.0)
        for name, score in mean_scores(same).items()
    }


def _gains(records: Iterable[TrialRecord]) -> dict[int, float]:
    """What a score gains in the mean from one rung to the next, by the earlier of them; a gain is below 0."""
    found: dict[int, list[float]] = defaultdict(list)
    for record in records:
        if record.score is None:
            continue
        for one, later in zip(record.rungs, record.rungs[1:], strict=False):
            found[one["rung"]].append(score_at(record, later["rung"]) - score_at(record, one["rung"]))
    return {rung: fmean(each) for rung, each in found.items()}


def _rest(record: TrialRecord, gains: Mapping[int, float]) -> float:
    return sum(gain for rung, gain in gains.items() if rung >= record.rungs[-1]["rung"])


def _seed_shifts(scores: list[list[float]]) -> list[float]:
    """What the first seed, the second ... does to a score beside the first, meant over the networks that have it."""
    most = max(map(len, scores), default=0)
    return [fmean(same[number] - same[0] for same in scores if len(same) > number) for number in range(most)]

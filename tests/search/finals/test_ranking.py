"""What a search began with stays unless something is better by more than noise."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from synthcity.durations import DAY
from synthcity.forecast.evaluation.evidence import Floats
from synthcity.search.finals.ranking import Ranking, beginner, rank
from synthcity.search.journal.history import TrialHistory
from synthcity.search.proposers.stall import again
from synthcity.sn50.competitions import get_rules
from tests.search.builders import candidate, tell

BLOCKS = 30
LEVEL = 5000 * np.exp(0.3 * np.random.default_rng(0).standard_normal(BLOCKS))


def trained(made: Any, scores_b: Floats) -> list[dict[str, Any]]:
    """A trial that ran to its end, with its blocks and a checkpoint."""
    events = tell(made, float(scores_b.mean()))
    for event in events:
        if event["kind"] == "rung":
            event["blocks"] = [[float(each), 1.0] for each in scores_b]
    return [*events, {"kind": "checkpoint", "time": 0.0, "id": made.id, "path": made.id}]


def judged(percent: dict[int, Floats], *, seeds: dict[int, Floats] | None = None) -> tuple[TrialHistory, Ranking]:
    """Rank networks that differ from ``LEVEL`` by ``percent`` in each block; the first is what the search began with.

    ``seeds``: the same for trainings on a second seed.
    """
    events: list[dict[str, Any]] = []
    for index, each in percent.items():
        source = "defaults" if index == 0 else "random"
        events += trained(candidate(index, source=source), LEVEL * (1 + each / 100))
    history = TrialHistory.replay(events)
    for index, each in (seeds or {}).items():
        made = again(history.trials[candidate(index).id], history)
        for event in trained(made, LEVEL * (1 + each / 100)):
            history = history.after(event)  # type: ignore[arg-type]
    names = [candidate(index).id for index in percent]
    rows = [
        {"asset": "BTC", "start_time": 2 * DAY * block, "forecaster": name, "total": total}
        for name, each in zip(names, percent.values(), strict=True)
        for block, total in enumerate(LEVEL * (1 + each / 100))
    ]
    return history, rank(history, names, pd.DataFrame(rows), get_rules(), 2)


def noise(seed: int, percent: float) -> Floats:
    return percent * np.sqrt(BLOCKS) * np.random.default_rng(seed).standard_normal(BLOCKS)


def test_one_that_is_clearly_better_goes_before_what_the_search_began_with() -> None:
    _, found = judged({0: noise(0, 0.01), 1: noise(1, 0.01) - 0.1, 2: noise(2, 0.01)})
    assert (found.incumbent, found.best, found.stays) == ("c0000", "c0001", False)
    assert -0.13 < found.estimates["c0001"].mean < -0.05


def test_the_luckiest_of_equals_does_not() -> None:
    kept = 0
    for world in range(20):
        _, found = judged({index: noise(100 * world + index, 0.05) for index in range(4)})
        kept += found.stays
        assert found.best == "c0000" or not found.stays
    assert kept >= 15


def test_what_the_search_began_with_stays_where_it_is_the_best_itself() -> None:
    _, found = judged({0: noise(0, 0.01) - 0.2, 1: noise(1, 0.01)})
    assert (found.best, found.stays) == ("c0000", True)


def test_two_networks_are_compared_on_the_seeds_that_both_have() -> None:
    """A second seed that flatters every network must not flatter the one that alone was trained on it."""
    flat = {0: noise(0, 0.005), 1: noise(1, 0.005)}
    history, found = judged(flat, seeds={1: noise(2, 0.005) - 0.5})
    assert abs(found.estimates["c0001"].mean) < 0.02
    better = min((0, 1), key=lambda index: LEVEL @ flat[index])
    assert history.scored[0].candidate.hash == candidate(better).hash


def test_without_anything_to_begin_with_the_best_goes_on() -> None:
    history, _ = judged({0: noise(0, 0.01), 1: noise(1, 0.01)})
    rest = TrialHistory.replay(
        event for index in (1, 2) for event in trained(candidate(index), LEVEL * (1 - 0.01 * index))
    )
    assert beginner(rest) is None
    first = beginner(history)
    assert first is not None
    assert first.id == "c0000"
    rows = [
        {"asset": "BTC", "start_time": 2 * DAY * block, "forecaster": f"c000{index}", "total": total}
        for index in (1, 2)
        for block, total in enumerate(LEVEL * (1 - 0.01 * index))
    ]
    found = rank(rest, ["c0002", "c0001"], pd.DataFrame(rows), get_rules(), 2)
    assert (found.best, found.stays) == ("c0002", False)

"""A search is fruitless by what it could tell from noise, not by a best that creeps."""

from __future__ import annotations

from typing import Any

import numpy as np

from synthcity.search.journal.history import TrialHistory
from synthcity.search.trials.patience import fruitless
from tests.search.builders import candidate, tell

BLOCKS = 30


def found(*percent: float, blocks: bool = True) -> TrialHistory:
    """A search that began with one network and found others, better by ``percent`` with 0.05 % of noise."""
    rng = np.random.default_rng(0)
    level = 5000 * np.exp(0.3 * rng.standard_normal(BLOCKS))
    events: list[dict[str, Any]] = []
    for index, each in enumerate((0.0, *percent)):
        scores = level * (1 - each / 100 + 0.0005 * np.sqrt(BLOCKS) * rng.standard_normal(BLOCKS))
        trial = tell(candidate(index, "defaults" if index == 0 else "tpe"), float(scores.mean()))
        for event in trial:
            if event["kind"] == "rung" and blocks:
                event["blocks"] = [[float(score), 1.0] for score in scores]
        events += trial
    return TrialHistory.replay(events)


def test_networks_that_are_all_alike_are_fruitless_though_the_best_score_falls() -> None:
    history = found(*[0.0] * 8)
    assert history.scored[0].id != "c0000"
    assert fruitless(history) >= 5


def test_a_gain_begins_the_count_again() -> None:
    assert fruitless(found(0.0, 0.0, 1.0, 0.9, 0.95)) == 2
    assert fruitless(found(0.0, 0.0, 1.0)) == 0
    assert fruitless(found()) == 0


def test_what_does_not_tell_its_blocks_is_no_gain() -> None:
    assert fruitless(found(5.0, 9.0, blocks=False)) == 2


def test_fresh_seeds_and_running_trials_do_not_count() -> None:
    history = found(0.0)
    events = tell(candidate(2), 5000.0, status="running")
    for event in events + tell(candidate(3, "rerun"), 5000.0):
        history = history.after(event)  # type: ignore[arg-type]
    assert fruitless(history) == 1

"""Who is frozen, and why; the rule at work is shown in ``test_final`` and ``test_ranking``."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from synthcity.durations import DAY
from synthcity.forecast.evaluation.evidence import Estimate
from synthcity.search.arms import RERUN
from synthcity.search.finals.choice import _gain, _trained_again, stage_seed, why
from synthcity.search.finals.ranking import Ranking
from synthcity.search.journal.history import TrialHistory
from synthcity.sn50.competitions import get_rules
from tests.search.builders import candidate, tell

SCORES = {"mix": 96.0, "c0000": 97.0, "c0005": 96.5, "fhs": 98.0}


def ranking(best: str, *, first: str = "c0000", stays: bool = False) -> Ranking:
    estimates = {first: Estimate(mean=0.0, error=0.0), "c0005": Estimate(mean=-0.04, error=0.02)}
    return Ranking(incumbent=first, estimates=estimates, best=best, stays=stays)


def test_the_choice_is_told_in_a_sentence_that_is_true() -> None:
    assert why("fhs", SCORES) == "fhs is frozen with 98.0 on fresh validation prompts"
    assert why("c0005", SCORES, ranking("c0005")) == (
        "c0005 is frozen with 96.5 on fresh validation prompts. c0005 is 0.04 % better (noise 0.02 %) than c0000, the "
        "best of the networks that it began with"
    )
    gain = Estimate(mean=-0.03, error=0.01)
    assert why("mix", SCORES, ranking("c0005"), gain).startswith(
        "mix is frozen with 96.0 on fresh validation prompts: by weights of other days it is 0.03 % better "
        "(noise 0.01 %) than c0005. "
    )
    assert why("fhs", SCORES, ranking("c0005")).startswith(
        "fhs is frozen with 98.0 on fresh validation prompts: c0005 scores 96.5 there. "
    )


def test_the_presets_stay_where_nothing_is_better_and_it_is_said() -> None:
    assert why("c0000", SCORES, ranking("c0000", stays=True)) == (
        "c0000 is frozen with 97.0 on fresh validation prompts. What the search began with stays (c0000): no network "
        "that the search found is better by more than noise"
    )


def test_a_first_network_that_was_trained_again_is_not_told_as_a_late_one() -> None:
    history = TrialHistory.replay(
        tell(candidate(0), 97.0) + tell(replace(candidate(7, RERUN), parent="c0000"), 96.9) + tell(candidate(8), 97.5)
    )
    again = _trained_again(history)
    assert again == {"c0007": "c0000"}
    told = why("c0007", {**SCORES, "c0007": 96.9}, ranking("c0007", first="c0007", stays=True), again=again)
    assert "What the search began with stays (c0007, which is c0000 on another seed): " in told


def test_what_a_mix_gains_on_the_same_days_twice_is_no_surer_for_it() -> None:
    rng = np.random.default_rng(0)
    rows = [
        {"asset": "BTC", "start_time": DAY * at, "forecaster": name, "total": 5000 * (ratio + 0.002 * rng.normal())}
        for at in range(40)
        for name, ratio in (("mix", 0.999), ("c0005", 1.0))
    ]
    data: Any = SimpleNamespace(rules=get_rules())
    untold: Any = SimpleNamespace(last=lambda cls: None)
    alone = _gain(untold, "c0005", pd.DataFrame(rows), data, 2)
    told: Any = SimpleNamespace(last=lambda cls: {"gains": {"c0005": [alone.mean, alone.error]}})
    assert _gain(told, "c0005", pd.DataFrame(rows), data, 2) == Estimate(
        mean=pytest.approx(alone.mean), error=pytest.approx(alone.error)
    )


def test_no_two_draws_of_a_run_or_of_runs_side_by_side_share_a_seed() -> None:
    seeds = [stage_seed(seed, stage) for seed in range(20) for stage in range(50)]
    assert len(set(seeds)) == len(seeds)

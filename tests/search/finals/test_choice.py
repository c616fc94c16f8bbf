"""Who is frozen, and why; the rule at work is shown in ``test_final``."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from synthcity.search.finals import choice
from synthcity.search.finals.choice import stage_seed, why
from synthcity.sn50.competitions import get_competition, get_rules


@pytest.mark.parametrize(
    ("name", "scores", "sentence"),
    [
        ("mix", {"mix": 96.0, "c0000": 97.0}, "mix is frozen: with 96.0 the best on fresh validation prompts"),
        ("fhs", {"fhs": 95.0, "c0000": 97.0}, "fhs is frozen: with 95.0 the best on fresh validation prompts"),
        (
            "mix",
            {"mix": 96.0, "c0000": 95.9},
            "mix is frozen with 96.0 on fresh validation prompts: c0000 scores 95.9 ",
        ),
    ],
)
def test_the_choice_is_told_in_a_sentence_that_is_true(name: str, scores: dict[str, float], sentence: str) -> None:
    assert why(name, scores).startswith(sentence)


def test_no_two_draws_of_a_run_or_of_runs_side_by_side_share_a_seed() -> None:
    seeds = [stage_seed(seed, stage) for seed in range(20) for stage in range(50)]
    assert len(set(seeds)) == len(seeds)


def scores(lead: list[float]) -> pd.DataFrame:
    """c0000 scores ``lead`` less than the mix, day after day."""
    start = 1_761_955_200
    rows = [
        {"asset": "BTC", "start_time": start + 86400 * day, "forecaster": name, "total": 5000.0 - better}
        for day, each in enumerate(lead)
        for name, better in (("c0000", each), ("mix", 0.0))
    ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("best", "lead", "beats"),
    [
        ("c0000", [50.0, 60.0, 55.0, 45.0] * 10, True),
        ("c0000", [500.0, -490.0, 480.0, -480.0] * 10, False),
        ("c0000", [-50.0, -60.0, -55.0, -45.0] * 10, False),
        ("mix", [50.0, 60.0] * 20, False),
        (None, [50.0, 60.0] * 20, False),
    ],
)
def test_only_a_lead_beyond_chance_beats_a_mix(best: str | None, lead: list[float], beats: bool) -> None:
    data: Any = SimpleNamespace(competition=get_competition("crypto-24h"), rules=get_rules())
    assert choice._beats(best, "mix", scores(lead), data) is beats


def test_equal_scores_are_told_of_the_first_name() -> None:
    assert why("a", {"b": 1.0, "a": 1.0}) == "a is frozen: with 1.0 the best on fresh validation prompts"
    assert "b is frozen with 1.0" in why("b", {"b": 1.0, "a": 1.0})

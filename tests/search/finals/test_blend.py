"""The mix's gain is measured on days that its weights were not fitted on."""

from __future__ import annotations

import numpy as np

from synthcity.durations import DAY
from synthcity.forecast.weights import PairTerms
from synthcity.search.finals.blend import gains
from synthcity.search.finals.scoring import PairRow


def rows(apart: float, lead: float, seed: int = 0, days: int = 40) -> list[PairRow]:
    """Prompts of two members that differ by ``apart``; the first is ``lead`` better, give or take the day's luck."""
    rng = np.random.default_rng(seed)
    found = []
    for day in range(days):
        far = np.array([[10.0, 10.0 + apart], [10.0 + apart, 10.0]])
        to = 100.0 + np.array([0.0, lead]) + rng.normal(0, 1.0, 2)
        found.append(PairRow(asset="BTC", start=day * DAY, terms=PairTerms(to, far), weight=1.0))
    return found


def test_members_that_differ_gain_from_each_other() -> None:
    found = gains(rows(apart=6.0, lead=0.0), ["a", "b"], 2)
    assert found["a"].mean < -1
    assert found["a"].clear
    assert found["b"].clear


def test_a_member_that_adds_nothing_but_noise_is_no_gain() -> None:
    found = gains(rows(apart=0.0, lead=3.0), ["a", "b"], 2)
    assert found["a"].mean > -0.05
    assert found["b"].mean < -2


def test_days_that_are_too_few_for_two_folds_tell_nothing() -> None:
    assert gains(rows(apart=6.0, lead=0.0, days=1), ["a", "b"], 2) == {}

"""Intervals of a place: as wide as repeated windows say, and paired with the field."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from synthcity.serve.settlement.estimate import estimate
from synthcity.serve.settlement.rank import Contest
from synthcity.sn50.competitions import get_competition

DAY = 86400
START = 1_763_596_800
DAILY = get_competition("crypto-24h")


def contest(seed: int = 0, *, days: int = 10, ours: float = 20.0, common: float = 200.0) -> Contest:
    """Eight prompts a day; what all share differs from prompt to prompt, our own luck from day to day."""
    rng = np.random.default_rng(seed)
    starts = START + 3 * 3600 * np.arange(8 * days)
    shared = 3000 + common * rng.standard_normal((len(starts), 1))
    luck = np.repeat(rng.standard_normal((days, 12)), 8, axis=0) * 10
    skill = np.append(10.0 * np.arange(11), ours)
    return Contest(
        competition=DAILY,
        assets=["BTC"] * len(starts),
        starts=starts.astype(np.int64),
        totals=shared + luck + skill + rng.standard_normal((len(starts), 12)),
        num_unmatched=0,
    )


def test_the_intervals_hold_the_place_and_what_all_share_is_no_uncertainty():
    found = estimate(contest())
    rank = found.rank
    assert found.average.low < rank.average < found.average.high
    assert found.standing.low <= rank.rank <= found.standing.high
    assert 0 < found.share.low < rank.share < found.share.high <= 1
    assert found.num_blocks == 10
    calmer = estimate(contest(common=0.0))
    width = found.average.high - found.average.low
    assert width == pytest.approx(calmer.average.high - calmer.average.low, rel=0.1)


def test_they_hold_the_truth_about_as_often_as_they_say():
    """The mean of our lead on the field over 60 windows; its own distance, since rank and share follow from it."""
    held = []
    leads = [estimate(contest(seed)) for seed in range(60)]
    true = float(np.mean([one.rank.average for one in leads]))
    for one in leads:
        held.append(one.average.low <= true <= one.average.high)
    assert 0.88 <= np.mean(held) <= 1.0


def test_too_few_days_have_no_interval():
    found = estimate(contest(days=5))
    assert (found.average, found.standing, found.share, found.num_blocks) == (None, None, None, 5)
    assert found.rank.num_prompts == 40


def test_the_best_by_far_takes_all_and_no_more():
    found = estimate(contest(ours=-500.0))
    assert found.rank.rank == found.standing.low == found.standing.high == 1
    assert found.rank.share == pytest.approx(1.0)
    assert found.share.high <= 1.0


def test_prompts_without_a_valid_answer_do_not_count():
    whole = contest()
    spoiled = whole.totals.copy()
    spoiled[7] = -1.0
    rest = np.arange(len(spoiled)) != 7
    fewer = replace(whole, totals=whole.totals[rest], starts=whole.starts[rest], assets=whole.assets[1:])
    assert estimate(replace(whole, totals=spoiled)).share == estimate(fewer).share

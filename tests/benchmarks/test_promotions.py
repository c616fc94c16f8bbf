from __future__ import annotations

from dataclasses import replace

import numpy as np

from benchmarks.coverage import LAWS, Law
from benchmarks.promotions import came_through, crowned, found, promoted


def test_equals_are_promoted_seldom_however_many_rounds_there_are() -> None:
    for name in ("normal", "skewed, rare losses"):
        assert promoted(LAWS[name], 400, np.random.default_rng(0)) <= 0.05, name


def test_without_spending_they_would_be() -> None:
    assert promoted(Law(), 200, np.random.default_rng(0), spend=False) > 0.5


def test_with_a_miner_equals_are_promoted_as_seldom_and_a_lead_is_found_at_any_look() -> None:
    """A lead of twice a block's deviation by ten blocks: at the thirtieth look no level is left to claim it."""
    assert promoted(LAWS["skewed, rare losses"], 400, np.random.default_rng(0), miner=True) <= 0.05
    rng = np.random.default_rng(0)
    assert found(Law(), 0.02, 30, 400, rng, blocks=10) < 0.15
    assert crowned(Law(), 0.02, 30, 400, rng, blocks=10) > 0.8


def test_what_is_clearly_better_is_found() -> None:
    assert found(Law(), 0.03, 5, 200, np.random.default_rng(0), blocks=30) > 0.9


def test_a_harmful_refit_seldom_comes_through_and_an_equal_one_mostly() -> None:
    law, rng = replace(LAWS["heavy tails"], spread=0.0008), np.random.default_rng(0)
    assert came_through(law, -0.001, 400, rng) <= 0.06
    assert came_through(law, -0.003, 400, rng) == 0.0
    assert came_through(law, 0.0, 400, rng) > 0.8

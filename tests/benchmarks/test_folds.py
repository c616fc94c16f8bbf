"""Finals on days of their own are compared with those on the days of the search."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from benchmarks.folds import LUCK, last, mixed, thirds
from benchmarks.selection import TODAY, searched


def test_what_is_set_apart_is_a_third_of_the_days() -> None:
    assert thirds(6).tolist() == [False, False, True] * 2
    assert last(7).tolist() == [False] * 5 + [True] * 2


def test_a_search_that_never_sees_the_finals_days_finds_what_is_far_better() -> None:
    for apart in (None, thirds, last):
        found = searched(replace(TODAY, noise=LUCK, apart=apart), 0.5, 1, 15)
        assert found.found
        assert found.told < -0.1
        assert found.true == -0.5


def test_mixes_of_networks_that_differ_much_gain_as_is_told() -> None:
    for apart in (None, last(30)):
        found = [mixed(30, 0.5, 0.0, seed, apart) for seed in range(10)]
        assert abs(np.mean([one.told - one.true for one in found])) < 0.1
        assert max(one.true for one in found) < -0.4

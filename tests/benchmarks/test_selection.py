"""A search finds what is better by the noise that was measured, and leaves what it began with for a reason only."""

from __future__ import annotations

import pytest

from benchmarks.selection import BEFORE, TODAY, quiet, recovered


@pytest.mark.parametrize(("planted", "rule"), [(0.10, TODAY), (0.03, quiet(TODAY))])
def test_a_planted_difference_is_recovered_in_nine_of_ten_searches(planted: float, rule: object) -> None:
    assert sum(recovered(rule, planted, seed) for seed in range(40)) >= 36  # type: ignore[arg-type]


def test_nothing_planted_leaves_what_the_search_began_with() -> None:
    assert sum(recovered(TODAY, 0.0, seed) for seed in range(10)) <= 2


def test_the_rule_before_it_was_luck() -> None:
    assert sum(recovered(BEFORE, 0.10, seed) for seed in range(10)) <= 6

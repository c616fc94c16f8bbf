from __future__ import annotations

import pytest

from synthcity.pipeline.spending import ALPHA, confidence, level


def test_all_looks_together_spend_no_more_than_alpha() -> None:
    spent = sum(level(look) for look in range(1, 100_001))
    assert 0.9999 * ALPHA < spent < ALPHA
    assert level(1) == pytest.approx(0.6079 * ALPHA, rel=1e-4)
    assert level(3, families=3) == pytest.approx(level(3) / 3)


def test_the_upper_end_of_the_interval_keeps_the_level() -> None:
    assert confidence(0.025) == 0.95


@pytest.mark.parametrize(("look", "families"), [(0, 1), (1, 0), (-1, 1)])
def test_looks_count_from_one(look: int, families: int) -> None:
    with pytest.raises(ValueError, match="count from 1"):
        level(look, families)

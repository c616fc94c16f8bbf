from __future__ import annotations

import math

import pytest

from synthcity.wording import between, bounds, chain, duration, lead_over, percent


def test_durations_read_well() -> None:
    assert [duration(s) for s in (7, 65, 3700)] == ["7 s", "1:05", "1:01:40"]


def test_a_difference_has_its_sign_and_a_true_minus() -> None:
    assert [percent(value) for value in (-0.621, 0.4, None)] == ["−0.62 %", "+0.40 %", "-"]
    assert between(-0.82, -0.42) == "95 % interval −0.82 to −0.42 %"
    assert bounds(-0.82, 0.42) == "−0.82 to +0.42 %"
    assert lead_over("fhs") == "lead over fhs (minus is better)"


@pytest.mark.parametrize("unknown", [(None, None), (-math.inf, math.inf), (math.nan, math.nan)])
def test_an_interval_that_is_unknown_is_told_in_words(unknown: tuple[float | None, float | None]) -> None:
    assert bounds(*unknown) == between(*unknown) == "too few days for an interval"


@pytest.mark.parametrize(
    ("blocks", "word"),
    [(("transformer", "lstm"), "transformer+lstm>gbm"), (("lstm",), "lstm>gbm"), ((), "none>gbm")],
)
def test_a_networks_blocks_stand_in_their_order_before_the_head(blocks: tuple[str, ...], word: str) -> None:
    assert chain(blocks, "gbm") == word
    assert chain(iter(blocks), "gbm") == word

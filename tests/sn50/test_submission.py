from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthcity.sn50.competitions import get_rules
from synthcity.sn50.prompt import Prompt
from synthcity.sn50.submission import encode, round_paths, validate

MAY, SEPTEMBER = get_rules("2026-05"), get_rules("2026-09")
PROMPT = Prompt(asset="BTC", start_time=1_790_000_000, time_increment=60, time_length=180, num_simulations=2)
GOOD = [PROMPT.start_time, 60, [100.5, 101, 99.25, 100.0], [1.0, 2.0, 3.0, 4.0]]


@settings(max_examples=200, deadline=None)
@given(
    st.floats(-6, np.log10(9_999_999)),
    st.lists(st.floats(-2, 0), min_size=7, max_size=7),
)
def test_rounded_paths_pass_both_digit_rules(scale: float, spread: list[float]) -> None:
    paths = 10.0 ** (scale + np.array([0.0, *spread])).reshape(2, 4)
    rounded = round_paths(paths)
    assert (rounded > 0).all()
    step = 10.0 ** -(8 - len(str(int(rounded.max()))))
    np.testing.assert_array_less(np.abs(rounded - paths), step * 1.0001)
    answer = json.loads(encode(rounded, PROMPT))
    assert validate(answer, PROMPT, MAY) is None
    assert validate(answer, PROMPT, SEPTEMBER) is None


@pytest.mark.parametrize(
    ("price", "rounded"),
    [
        (63_123.456789, 63_123.457),
        (0.123456789, 0.1234568),
        (9.99999999, 10.0),
        (9.9999999, 9.9999999),
        (999.9999999, 1000.0),
        (1e-9, 1e-7),
        (1_234_567.89, 1_234_567.9),
    ],
)
def test_decimals_follow_the_largest_price(price: float, rounded: float) -> None:
    assert round_paths([price])[0] == rounded
    assert validate([0, 60, [rounded]], prompt_of_one(), MAY) is None


def prompt_of_one() -> Any:
    class One:
        start_time, time_increment, num_simulations, num_steps = 0, 60, 1, 0

    return One()


def test_a_carry_costs_all_paths_one_decimal() -> None:
    np.testing.assert_array_equal(round_paths([99.99999999, 1.23456789]), [100.0, 1.23457])


def test_ten_millions_fit_the_newer_rule_alone() -> None:
    answer = [0, 60, [float(round_paths([12_345_678.9])[0])]]
    assert validate(answer, prompt_of_one(), SEPTEMBER) is None
    assert "9 characters" in str(validate(answer, prompt_of_one(), MAY))


@pytest.mark.parametrize("price", [0.0, -1.0, np.nan, np.inf])
def test_only_prices_are_rounded_and_sent(price: float) -> None:
    paths = np.ones((2, 4))
    paths[1, 2] = price
    with pytest.raises(ValueError, match="finite and > 0"):
        round_paths(paths)
    with pytest.raises(ValueError, match="finite and > 0"):
        encode(paths, PROMPT)


def test_nothing_cannot_be_rounded() -> None:
    with pytest.raises(ValueError, match="finite and > 0"):
        round_paths([])


@pytest.mark.parametrize("rules", [MAY, SEPTEMBER])
def test_a_good_answer_passes(rules: Any) -> None:
    assert validate(GOOD, PROMPT, rules) is None


@pytest.mark.parametrize("rules", [MAY, SEPTEMBER])
@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ([], "empty"),
        ({"a": 1}, "no list"),
        (GOOD[:3], "1 paths instead of 2"),
        ([*GOOD, [1.0] * 4], "3 paths instead of 2"),
        ([1, *GOOD[1:]], "start time is 1 instead of 1790000000"),
        ([float(PROMPT.start_time), *GOOD[1:]], "start time is 1790000000.0"),
        ([GOOD[0], 300, *GOOD[2:]], "time increment is 300 instead of 60"),
        ([GOOD[0], True, *GOOD[2:]], "time increment is True"),
        ([*GOOD[:3], 5.0], "path 1: a float instead of a list"),
        ([*GOOD[:3], [1.0, 2.0, 3.0]], "path 1: 3 points instead of 4"),
        ([*GOOD[:3], [1.0, "2.0", 3.0, 4.0]], "path 1: point 1 is '2.0', not a number"),
        ([*GOOD[:3], [1.0, True, 3.0, 4.0]], "path 1: point 1 is True, not a number"),
        ([*GOOD[:3], [1.0, None, 3.0, 4.0]], "path 1: point 1 is None, not a number"),
        ([*GOOD[:3], [1.0, 2.0, 3.0, 123.4567891]], "path 1: point 3 is 123.4567891"),
    ],
)
def test_a_refusal_says_why(answer: Any, reason: str, rules: Any) -> None:
    assert reason in str(validate(answer, PROMPT, rules))


@pytest.mark.parametrize(
    ("price", "may", "september"),
    [
        (0.1234567, True, True),
        (0.12345678, False, True),
        (12345678.0, False, True),
        (1234567.0, True, True),
        (-1.234567, True, True),
        (-1.2345678, False, True),
        (1.23e-05, True, True),
        (1.2345e-05, False, True),
        (float("nan"), True, False),
        (float("inf"), True, False),
        (0.0, True, True),
        (1e39, True, False),
        (1e-50, True, False),
        (123456789, False, False),
    ],
)
def test_digit_rules(price: float, may: bool, september: bool) -> None:
    answer = [0, 60, [price]]
    assert (validate(answer, prompt_of_one(), MAY) is None) is may
    assert (validate(answer, prompt_of_one(), SEPTEMBER) is None) is september


def test_encoded_answer_is_the_list_of_the_wire() -> None:
    paths = np.array([[1.5, 2.5, 3.5, 4.5], [0.25, 0.5, 0.75, 1.0]])
    assert encode(paths, PROMPT) == b"[1790000000,60,[1.5,2.5,3.5,4.5],[0.25,0.5,0.75,1.0]]"


def test_the_shape_is_the_prompts() -> None:
    with pytest.raises(ValueError, match=r"paths must be \(2, 4\)"):
        encode(np.ones((2, 5)), PROMPT)

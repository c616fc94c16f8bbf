"""The quick check of ``benchmarks/load.py`` finds what ``validate`` finds."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

from benchmarks.load_check import check, is_plainly_good
from synthcity.serve.answering.reply import compress, encode_reply
from synthcity.sn50.prompt import Prompt

PROMPT = Prompt(asset="BTC", start_time=1_790_000_520, time_increment=60, time_length=3600, num_simulations=20)
GOOD = encode_reply(np.linspace(89_000.0, 91_000.0, 20 * 61).reshape(20, 61), PROMPT)
PRICE = b"89000.0"


@pytest.mark.parametrize("thorough", [False, True])
@pytest.mark.parametrize(("encoding", "pack"), [("", bytes), ("gzip", compress), ("gzip", gzip.compress)])
def test_a_good_answer_passes(encoding: str, pack, thorough: bool) -> None:
    assert check(pack(GOOD), encoding, PROMPT, thorough) is None
    assert is_plainly_good(GOOD, PROMPT)


@pytest.mark.parametrize("price", [1.0, 9.9999999, 2.5e3, 9_999_999.0])
def test_prices_of_any_size_pass_quickly(price: float) -> None:
    assert is_plainly_good(encode_reply(np.full((20, 61), price), PROMPT), PROMPT)


@pytest.mark.parametrize("price", [0.5, 1e-3, 1e-7])
def test_small_prices_pass_by_the_longer_way(price: float) -> None:
    text = encode_reply(np.full((20, 61), price), PROMPT)
    assert not is_plainly_good(text, PROMPT)
    assert check(text, "", PROMPT, False) is None


@pytest.mark.parametrize(
    ("instead", "reason"),
    [
        (b"89000.1234", "characters"),
        (b"0.12345678", "characters"),  # passes as eight significant digits, but not as eight characters
        (b"1234567890", "characters"),
        (b"089000.0", "cannot be read"),
        (b"89000.", "cannot be read"),
        (b".5", "cannot be read"),
        (b"8.9.0", "cannot be read"),
        (b"", "cannot be read"),
        (b"-89000.123", "characters"),
        (b"true", "True, not a number"),
        (b"null", "None, not a number"),
        (b'"89000.0"', "'89000.0', not a number"),
        (b"NaN", "cannot be read"),
        (b"[89000.0]", "not a number"),
        (b"1.0,89000.0", "62 points instead of 61"),
    ],
)
@pytest.mark.parametrize("thorough", [False, True])
def test_one_bad_number_is_found(instead: bytes, reason: str, thorough: bool) -> None:
    found = check(GOOD.replace(PRICE, instead, 1), "", PROMPT, thorough)
    assert found is not None
    assert reason in found


@pytest.mark.parametrize(
    ("content", "encoding"),
    [(b"", ""), (b"{}", ""), (GOOD[:-5], ""), (compress(GOOD)[:-9], "gzip"), (GOOD, "gzip"), (b"[]", "")],
)
def test_what_is_no_answer_is_told(content: bytes, encoding: str) -> None:
    found = check(content, encoding, PROMPT, False)
    assert found is not None
    assert "cannot be read" in found


def test_an_answer_to_another_prompt_is_told() -> None:
    other = Prompt(asset="BTC", start_time=1_790_000_580, time_increment=60, time_length=3600, num_simulations=20)
    assert "start time" in str(check(GOOD, "", other, False))

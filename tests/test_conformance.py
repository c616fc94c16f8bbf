"""How contracts are checked: what fails is told by its name, however it failed."""

from __future__ import annotations

import pytest

from synthcity.conformance import Broken, broken, require, suite


def good(subject: list[int]) -> None:
    require(subject, "it is empty")


def odd(subject: list[int]) -> None:
    require(subject[0] % 2, f"{subject[0]} is even")


def test_what_holds_is_silent_and_what_does_not_is_one_sentence() -> None:
    require([0], "never")
    with pytest.raises(Broken, match=r"^so it is$"):
        require([], "so it is")


def test_all_checks_run_and_those_that_fail_are_named() -> None:
    checks = suite(good, odd)
    assert list(checks) == ["good", "odd"]
    assert broken(checks, [3]) == {}
    assert broken(checks, [2]) == {"odd": "2 is even"}
    assert broken(checks, []) == {"good": "it is empty", "odd": "IndexError: list index out of range"}

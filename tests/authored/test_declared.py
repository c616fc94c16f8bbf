"""What a file says of itself; the mistakes that it may make stand in test_feature and test_forecaster."""

from __future__ import annotations

import ast

from synthcity.authored.declared import Declared, digest


def test_constants_are_read_and_nothing_is_run() -> None:
    found = Declared(ast.parse('"""What.\n\nWhy."""\nNAME = "abc"\nLOOKBACK_DAYS = 1.5\nPAST = ("x", 1)\n'))
    assert (found.about, found.name, found.lookback_days) == ("What.", "abc", 1.5)
    assert found.names("PAST") == ("x", "")
    assert list(found.findings()) == []


def test_what_is_no_constant_is_missing() -> None:
    found = Declared(ast.parse("NAME = 'a' + 'b'\nLOOKBACK_DAYS = True\nPAST = ['x']\n"))
    assert (found.about, found.name, found.lookback_days, found.names("PAST")) == ("", "", 0.0, ())
    assert len(list(found.findings())) == 3


def test_the_digest_is_that_of_any_text() -> None:
    assert digest("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert len(digest("\ud800")) == 64

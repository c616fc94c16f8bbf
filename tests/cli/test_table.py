from __future__ import annotations

import sys

import pytest

from synthcity.cli.table import print_table

ROWS = [("BTC", "2025-01-01 00:00", "1,440"), ("HYPE", "2025-05-30 10:30", "7")]


def test_plain_lines_are_aligned(capsys):
    print_table(("asset", "first", "bars"), ROWS, right=("bars",))
    assert capsys.readouterr().out.splitlines() == [
        "asset  first              bars",
        "BTC    2025-01-01 00:00  1,440",
        "HYPE   2025-05-30 10:30      7",
    ]


def test_no_rows(capsys):
    print_table(("asset", "first"), [])
    assert capsys.readouterr().out == "asset  first\n"


def test_terminal_folds_between_words_only(capsys, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "26")
    print_table(("asset", "first", "bars"), ROWS, right=("bars",))
    text = capsys.readouterr().out
    assert "2025-01-01" in text
    assert "1,440" in text
    assert "…" not in text

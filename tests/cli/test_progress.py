"""How far a long command is stands on stderr, now and then, and never in its answer."""

from __future__ import annotations

import io
import sys

import pytest

from synthcity.cli.progress import progress


def test_lines_tell_amounts_in_the_unit_that_was_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("synthcity.cli.progress.TOLD_EVERY_SECONDS", 0.0)
    with progress("pushing", unit="MB", scale=1e6, digits=1) as tell:
        tell(0, 4_000_000)  # nothing is done, so no time left can be told
        tell(1_500_000, 4_000_000)
        tell(4_000_000, 4_000_000)
    out, err = capsys.readouterr()
    assert out == ""
    assert [line.rpartition(", ")[0] for line in err.splitlines()] == ["  pushing: 1.5 of 4.0 MB"]
    assert err.endswith(" left\n")


def test_what_is_over_in_a_moment_tells_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("answering") as tell:
        for done in range(1, 101):
            tell(done, 100)
    assert capsys.readouterr() == ("", "")


def test_a_terminal_gets_a_bar_on_stderr_that_goes_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with progress("answering") as tell:
        tell(50, 100)
    assert "answering" in terminal.getvalue()
    assert "\x1b[2K" in terminal.getvalue()
    assert capsys.readouterr().out == ""

"""What became of failures is told from the journal alone: patched, a limit, given up, or not looked at."""

from __future__ import annotations

import pytest

from synthcity.search.journal.diagnosis import Patch, read_patch
from synthcity.search.journal.history import TrialHistory
from synthcity.search.report.repairs import limit_rows, repair_line, repair_rows
from tests.search.sample_run import BEGIN, diagnosis, finished, journal, repair_events


def test_every_failure_says_who_did_what_and_how_it_ended() -> None:
    first, second, third = repair_rows(TrialHistory.replay([*journal(), *repair_events()]))
    assert first == {
        "trial": "c0005",
        "cause": "nan",
        "outcome": "repaired",
        "by": "catalogue",
        "text": "training.learning_rate 0.004 to 0.001",
        "child": "c0024",
        "score": 5520.0,
        "usd": 0.0,
    }
    assert (second["outcome"], second["cause"], second["by"], second["child"]) == (
        "now a limit",
        "time",
        "catalogue",
        None,
    )
    assert (third["outcome"], third["text"], third["by"], third["usd"]) == ("given up", "no <patch>", "model", 0.003)


def test_a_repair_that_fails_too_was_in_vain_and_has_a_row_of_its_own() -> None:
    failure = {"class": "TrialFailed", "message": "nan again", "traceback": ""}
    stalled = diagnosis("c0024", "nan", "leave", "debugger", "3 repairs in a row did not help")
    more = [
        finished("c0024", "failed", None, BEGIN + 1010, failure),
        {"kind": "diagnosis", **stalled, "time": BEGIN + 1011},
    ]
    rows = repair_rows(TrialHistory.replay([*journal(), *repair_events(), *more]))
    assert [row["outcome"] for row in rows] == ["patched in vain", "now a limit", "given up", "given up"]
    assert rows[0]["score"] is None
    assert rows[3]["by"] == "debugger"
    line = "4 trials failed: 2 given up (unknown 1, nan 1), 1 patched in vain (nan 1), 1 now a limit (time 1)"
    assert repair_line(rows) == line


def test_one_line_for_the_end_of_a_search() -> None:
    rows = repair_rows(TrialHistory.replay([*journal(), *repair_events()]))
    line = "3 trials failed: 1 repaired (catalogue 1), 1 now a limit (time 1), 1 given up (unknown 1)"
    assert repair_line(rows) == line
    assert repair_line(repair_rows(TrialHistory.replay(journal()))) == "3 trials failed: 3 not looked at"
    assert repair_line([]) == ""


def test_a_limit_counts_what_was_refused_for_it() -> None:
    (row,) = limit_rows(TrialHistory.replay([*journal(), *repair_events()]))
    assert (row["trial"], row["cause"], row["refused"]) == ("c0013", "time", 1)


@pytest.mark.parametrize(
    "patch",
    [
        Patch("nan", "catalogue", "training.learning_rate 0.004 to 0.001"),
        Patch("a cause (catalogue): with\na trap", "model", "without blocks.1 (mamba), history 48 to 24"),
    ],
)
def test_a_rationale_is_read_back_as_it_was_written(patch: Patch) -> None:
    assert read_patch(str(patch)) == patch


def test_a_rationale_of_another_form_is_shown_whole() -> None:
    assert read_patch("because") == Patch("", "", "because")

"""One past run as a line of a table."""

from __future__ import annotations

import json
from typing import Any

import pytest

from synthcity.errors import DataError
from synthcity.history.row import NOT_PROVEN, PROVEN, Lead, printable, read_row, row_of_report
from tests.history.builders import BEGIN, report, row
from tests.search.sample_run import sample_report


def test_a_row_is_read_as_it_was_written() -> None:
    before = row("a", periods={"test": ("2025-11-01", "2026-01-01")}, usd=0.5, trials=40, winner="mix")
    assert read_row(json.loads(json.dumps(before.to_dict()))) == before
    assert read_row(row("a", None).to_dict(), id="b").id == "b"


def test_a_report_gives_its_row() -> None:
    found = row_of_report(report(), id="folder")
    assert (found.id, found.name, found.began, found.competition) == ("folder", "sweep", BEGIN, "crypto-24h")
    assert (found.verdict, found.winner, found.trials, found.usd, found.score) == (PROVEN, "mix", 3, 1.25, 5500.0)
    assert found.lead == Lead(against="fhs", mean=-0.6, low=-0.8, high=-0.4)
    assert found.periods == {"train": ("2025-01-01", "2025-08-01"), "test": ("2025-11-01", "2026-01-01")}


def test_a_report_of_before_costs_were_told_is_summed_over_its_arms() -> None:
    told = report()
    del told["run"]["usd"], told["run"]["is_simulated"]
    assert row_of_report(told, id="x").usd == 0.75


def test_a_report_without_a_candidate_has_no_lead() -> None:
    verdict = {"proven": False, "winner": "fhs", "challenger": None, "best_baseline": "fhs"}
    found = row_of_report(report(verdict=verdict, leads={}), id="x")
    assert (found.lead, found.score, found.verdict) == (None, None, NOT_PROVEN)


def test_what_a_search_reports_makes_a_row() -> None:
    found = row_of_report(sample_report(diagnostics=None, groups=None), id="x")
    assert (found.name, found.competition, found.trials) == ("sweep", "crypto-24h", 24)
    assert found.lead is not None
    assert found.lead.against == "fhs"
    assert found.lead.mean < 0


WRONG: list[dict[str, Any]] = [
    {"began": "yesterday"},
    {"began": -1},
    {"began": 1e300},
    {"trials": -1},
    {"trials": True},
    {"usd": float("nan")},
    {"usd": 10**400},
    {"score": "low"},
    {"verdict": "splendid"},
    {"is_simulated": 0},
    {"name": None},
    {"periods": {"test": "always"}},
    {"periods": ["always"]},
    {"lead": -0.5},
    {"lead": {"against": "fhs", "mean": -0.5, "low": -0.4, "high": -0.3}},
    {"lead": {"against": 3, "mean": -0.5}},
]


@pytest.mark.parametrize("change", WRONG, ids=str)
def test_a_stranger_s_row_is_held_to_its_types(change: dict[str, Any]) -> None:
    told = row("a").to_dict()
    read_row(told)
    with pytest.raises(DataError):
        read_row({**told, **change})


@pytest.mark.parametrize("told", [None, [], "run", 3])
def test_what_is_no_mapping_is_no_row(told: object) -> None:
    with pytest.raises(DataError, match="no mapping"):
        read_row(told)


def test_text_loses_what_a_terminal_would_obey() -> None:
    assert printable("a\x1b[2Jb\nc\u202ed\u200be") == "a?[2Jb?c?d?e"
    assert printable("größe 東京") == "größe 東京"
    found = read_row({**row("a").to_dict(), "name": "\x1b]0;x\x07" + "n" * 9_000, "winner": "w\r"})
    assert (found.name[:5], len(found.name), found.winner) == ("?]0;x", 200, "w?")

"""What a finished search hands on: tables, intervals and what went wrong."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest

from synthcity.forecast.quantise import MARK
from synthcity.search.finals.final import TEST_SCORES
from synthcity.search.report import outcome
from synthcity.search.report.outcome import SearchResult, lead_table
from tests.search.sample_run import ASSETS, BASELINES, made_scores, sample_report


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> SearchResult:
    return SearchResult(folder=tmp_path_factory.mktemp("run"), report=sample_report(diagnostics=None, groups=None))


def test_tables_are_frames_of_the_report(result: SearchResult) -> None:
    assert list(result.trials["id"]) == [row["id"] for row in result.report["trials"]]
    assert "curve" not in result.trials
    assert len(result.curves) == sum(len(row["curve"]) for row in result.report["trials"]) > 0
    assert list(result.curves.columns) == ["id", "steps", "score"]


def test_scores_are_read_from_the_run(result: SearchResult) -> None:
    made_scores(num_prompts=3).to_parquet(result.folder / TEST_SCORES)
    assert len(result.scores) == len(made_scores(num_prompts=3))
    assert (result.page.name, result.winner.parent) == ("report.html", result.folder)


def test_a_lead_is_told_over_all_and_by_asset() -> None:
    found = lead_table(made_scores(lead=-2.0), "mix-3", "fhs", dict.fromkeys(ASSETS, 1.0), 2)
    assert found["mean"] == pytest.approx(-2.0, abs=0.3)
    assert found["low"] < found["mean"] < found["high"] < 0
    assert set(found["by_asset"]) == set(ASSETS)


def test_an_interval_that_is_unknown_is_none_and_never_nan() -> None:
    found = lead_table(made_scores(num_prompts=2), "mix-3", "fhs", dict.fromkeys(ASSETS, 1.0), 2)
    assert (found["low"], found["high"]) == (None, None)
    assert math.isfinite(found["mean"])


def test_a_quantised_baseline_is_a_baseline() -> None:
    scores = made_scores(num_prompts=2)
    scores["forecaster"] = scores["forecaster"].replace("fhs", f"fhs{MARK}")
    assert set(outcome.baselines_of(scores)) == {*BASELINES, f"fhs{MARK}"} - {"fhs"}


def recorder(seen: Any, answers: tuple[Any, ...] = ()) -> Any:
    return SimpleNamespace(last=lambda kind: seen, history=SimpleNamespace(answers=answers))


def test_prompts_that_are_lost_are_counted_apart_by_their_reason() -> None:
    told = outcome.warnings(recorder({"num_dropped": 5, "lost": {"c0001 had no prices": 2}}))
    assert told == [
        "2 test prompts are lost for all forecasters: c0001 had no prices.",
        "3 test prompts could not be scored: their last price was never observed.",
    ]
    assert outcome.warnings(recorder(None)) == []
    assert outcome.warnings(recorder({"num_dropped": 0})) == []


def test_answers_that_went_uncorrected_are_told_with_the_last() -> None:
    answers = tuple(
        SimpleNamespace(error=error, proposals=proposals, source="llm.refine")
        for error, proposals in (("", (1,)), ("late", (1,)), ("gone", ()), ("away", (1,)))
    )
    (told,) = outcome.warnings(recorder(None, answers))
    assert told == "2 answers of a language model went uncorrected, last llm.refine: away"

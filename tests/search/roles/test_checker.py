"""The checker explains; what was measured holds."""

from __future__ import annotations

import json
from typing import Any

import pytest

from synthcity.search.config import SearchConfig
from synthcity.search.roles.checker import decided, list_trials
from synthcity.search.roles.context import RoleContext
from tests.search.builders import candidate, tell
from tests.search.roles.conftest import VERDICT, Work, results, says


def test_a_model_never_overrules_the_verdict(let_work: Work) -> None:
    events = [*tell(candidate(0), 5500.0), VERDICT]
    outcome = let_work(
        "checker",
        [says("list_trials"), says("read_verdict"), says("finish", verdict="proven", explanation="it shines")],
        events,
    )
    assert json.loads(results(outcome)[0])[0]["id"] == "c0000"
    assert outcome.measured == (
        "not proven: Not proven: the baseline fhs wins.",
        "the model said 'proven'; what was measured holds",
    )


@pytest.mark.parametrize(
    ("events", "word"),
    [([], "no verdict"), ([VERDICT], "not proven"), ([VERDICT, {**VERDICT, "proven": True}], "proven")],
)
def test_the_runs_own_latest_verdict_is_one_of_three_words(config: SearchConfig, events: list[Any], word: str) -> None:
    assert decided(RoleContext(config, list(events)))[0] == word


def test_trials_are_listed_best_first_and_those_without_a_score_last(config: SearchConfig) -> None:
    events = [*tell(candidate(0), status="failed"), *tell(candidate(1), 5500.0), *tell(candidate(2), 5400.0)]
    found = list_trials(RoleContext(config, events))
    assert [(row["id"], row["score"]) for row in found] == [("c0002", 5400.0), ("c0001", 5500.0), ("c0000", None)]
    assert found[0]["architecture"] == "lstm>gbm"

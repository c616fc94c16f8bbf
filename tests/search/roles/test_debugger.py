"""The debugger patches a failed trial; the gate says whether the patch would be taken."""

from __future__ import annotations

from typing import Any

import pytest

from synthcity.agents.standin.process import RunningStandIn
from synthcity.errors import ConfigError
from tests.search.builders import candidate, tell
from tests.search.roles.conftest import Work, results, says


def diverged() -> list[dict[str, Any]]:
    """A run of three trials, of which the first two failed alike."""
    failure = {
        "class": "RuntimeError",
        "message": "the training loss became nan between steps 0 and 9",
        "traceback": "",
    }
    ended = [tell(candidate(number), status="failed") for number in (0, 1)]
    for events in ended:
        events[-1]["failure"] = failure
    return [*ended[0], *ended[1], *tell(candidate(2), 5500.0)]


def test_the_debugger_mends_a_trial_and_the_gate_says_whether_it_would_be_taken(
    let_work: Work, server: RunningStandIn
) -> None:
    slower = [{"path": "training.learning_rate", "value": 0.0003}]
    answer = says("finish", cause="steps too large", evidence="became nan", changes=slower)
    outcome = let_work("debugger", [says("try_patch", changes=slower), answer], diverged(), trial="c0000")
    assert results(outcome) == ["the gate would take it", "done"]
    catalogue, patch = outcome.measured
    assert catalogue.startswith("c0000: the catalogue says nan: ")
    assert patch.startswith("the patch training.learning_rate ")
    assert patch.endswith(": admitted")
    asked = server.questions()[0]
    assert "became nan between steps 0 and 9" in asked["messages"][0]["content"]
    assert {t["function"]["name"] for t in asked["tools"]} == {
        "read_component",
        "similar_trials",
        "try_patch",
        "finish",
    }


def test_the_debugger_takes_the_newest_failure_and_a_patch_may_be_none_or_refused(let_work: Work) -> None:
    found = {"cause": "bad luck", "evidence": "nan"}
    outcome = let_work("debugger", [says("finish", **found, changes=[])], diverged())
    assert outcome.measured[0].startswith("c0001: ")
    assert outcome.measured[1] == "no patch"
    outcome = let_work("debugger", [says("finish", **found, changes=[{"path": "search.seed", "value": 3}])], diverged())
    assert outcome.measured[1].startswith("the patch is refused: ")


def test_what_did_not_fail_is_not_debugged(let_work: Work) -> None:
    with pytest.raises(ConfigError, match="--trial c0002 is completed; failed are c0000, c0001"):
        let_work("debugger", [], diverged(), trial="c0002")
    with pytest.raises(ConfigError, match="--trial c0009 is unknown; failed are"):
        let_work("debugger", [], diverged(), trial="c0009")
    with pytest.raises(ConfigError, match="no trial of this run failed, so there is nothing to debug"):
        let_work("debugger", [], tell(candidate(0), 5500.0))

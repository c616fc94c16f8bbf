"""What the debugging agent may do: look, and try a patch on the gate."""

from __future__ import annotations

from typing import Any

import pytest

from synthcity.agents.tools import build_toolset
from synthcity.errors import ConfigError
from synthcity.search.debugger.tools import Case, lineage_of, read_component, similar_trials, try_patch
from synthcity.search.gate import Rejected
from synthcity.search.journal.history import TrialHistory
from tests.search.builders import candidate, config, history, tell
from tests.search.debugger.plant import GATE, SPACE


def case(known: TrialHistory, name: str = "c0000") -> Case:
    return Case.of(known.trials[name], known, SPACE, GATE)


FAILED = history(tell(candidate(0), status="failed"))


def change(path: str, value: Any) -> list[dict[str, Any]]:
    return [{"path": path, "value": value}]


def test_a_patch_becomes_a_proposal_with_the_failed_trial_as_its_parent() -> None:
    found = case(FAILED).patched(change("training.learning_rate", 0.0002), "too fast")
    assert found.parent == "c0000"
    assert found.config["training"]["learning_rate"] == 0.0002
    assert "too fast" in found.rationale
    assert "training.learning_rate 0.0005 to 0.0002" in found.rationale


def test_a_patch_that_may_not_be_is_refused_before_the_gate_and_a_known_one_by_it() -> None:
    with pytest.raises(ConfigError, match=r"unknown path 'search\.seed'"):
        case(FAILED).patched(change("search.seed", 1), "luck")
    rate = FAILED.trials["c0000"].candidate.config["training"]["learning_rate"]
    with pytest.raises(Rejected):
        case(FAILED).patched(change("training.learning_rate", rate), "nothing")


def test_trying_a_patch_tells_and_raises_nothing() -> None:
    assert try_patch(case(FAILED), change("d_model", 16)) == "the gate would take it"
    assert try_patch(case(FAILED), change("d_model", 17)).startswith("refused: ")
    assert try_patch(case(FAILED), change("data", 1)).startswith("refused: unknown path 'data'")


def test_a_component_is_read_or_its_nearest_name_told() -> None:
    assert "- tcn: Temporal convolutional network" in read_component(case(FAILED), "block", "tcn")
    assert "did you mean 'tcn'" in read_component(case(FAILED), "block", "tcnn")
    assert "unknown head" in read_component(case(FAILED), "head", "tcn")


def test_similar_trials_come_nearest_first_with_how_they_ended() -> None:
    known = history(
        tell(candidate(0, rate=0.001), status="failed"),
        tell(candidate(1, rate=0.007), 5100.0),
        tell(candidate(2, rate=0.0011), 5200.0, status="stopped"),
        tell(candidate(3, rate=0.0012), status="failed"),
        tell(candidate(4, rate=0.0010), status="running"),
    )
    lines = similar_trials(case(known)).splitlines()
    assert [line.split(":")[0] for line in lines] == [
        "c0002 stopped, score 5200.0 after rung 1 of 4",
        "c0003 failed, the loss became nan",
        "c0001 completed, score 5100.0",
    ]
    assert similar_trials(case(FAILED)) == "there are no others yet"


def test_a_lineage_is_the_chain_of_repairs_and_the_trial_itself() -> None:
    from dataclasses import replace

    child = replace(candidate(1, "debugger"), parent="c0000")
    grandchild = replace(candidate(2, "debugger"), parent="c0001")
    other = replace(candidate(3, "refine"), parent="c0002")
    known = history(*(tell(one, status="failed") for one in (candidate(0), child, grandchild, other)))
    names = [[r.candidate.id for r in lineage_of(known.trials[name], known)] for name in ("c0002", "c0003")]
    assert names == [["c0000", "c0001", "c0002"], ["c0003"]]


def test_refusals_told_are_those_of_this_trials_own_patches() -> None:
    rejected = {"kind": "rejected", "time": 9.0, "stage": "size", "config": config(), "usd": 0.0}
    known = history(
        tell(candidate(0), status="failed"),
        [{**rejected, "source": "debugger", "parent": "c0000", "reason": "too large"}],
        [{**rejected, "source": "debugger", "parent": "c0009", "reason": "another's"}],
        [{**rejected, "source": "tpe", "parent": "c0000", "reason": "no patch"}],
    )
    (text,) = case(known).refused
    assert text.endswith(": too large")


def test_the_tools_are_these_three() -> None:
    names = set(build_toolset("debugger", case(FAILED)).names)
    assert names == {"try_patch", "read_component", "similar_trials"}

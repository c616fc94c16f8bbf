from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from synthcity.errors import TrialFailed
from synthcity.search.candidates.candidate import Proposal
from synthcity.search.debugger.debugger import MAX_DEPTH
from synthcity.search.debugger.tools import lineage_of
from synthcity.search.gate import Rejected
from synthcity.search.journal.history import TrialHistory
from synthcity.search.proposers import make_arms
from tests.search.debugger import plant
from tests.search.debugger.plant import BIG, GATE, LSTM, PLANTED, SPACE, net, world


@pytest.mark.parametrize("kind", PLANTED)
def test_twelve_planted_bugs_end_as_they_should_without_a_model(kind: str) -> None:
    train, config, end, told = PLANTED[kind]
    search = world(train)
    failed = search.start(config)
    assert search.history.trials[failed].status == "failed"
    assert search.repair() <= MAX_DEPTH + 1
    if end == "repaired":
        child = search.history.records[-1]
        assert (child.status, child.candidate.source) == ("completed", "debugger")
        assert lineage_of(child, search.history)[0].candidate.id == failed
        assert told in child.candidate.rationale
        assert search.diagnoses == []
    else:
        (diagnosis,) = search.diagnoses
        assert (diagnosis.action, diagnosis.cause, diagnosis.by) == (end, told, "catalogue")
        assert len(search.history.trials) == 1


@pytest.mark.parametrize("kind", PLANTED)
def test_a_bug_that_no_patch_removes_never_loops(kind: str) -> None:
    train, config, end, _ = PLANTED[kind]
    error: list[Exception] = []
    try:
        train(plant.canonical(config))
    except Exception as found:  # noqa: BLE001
        error.append(found)

    def always(_: dict[str, Any]) -> None:
        raise error[0]

    search = world(always)
    search.start(config)
    search.repair()
    assert len(search.history.trials) <= 1 + MAX_DEPTH
    assert search.diagnoses[-1].action == ("limit" if end == "limit" else "leave")
    assert search.repair() == 0


@pytest.mark.parametrize("arm", ["tpe", "refine", "random"])
def test_no_arm_gets_past_what_ran_out_of_memory(arm: str) -> None:
    search = world(plant.memory)
    search.start(net([], training={"batch_size": 48, "num_paths": 12}, d_model=16, history=24, patch=1))
    search.repair()
    proposer = make_arms([arm], SPACE)[arm]
    replayed = TrialHistory() if search.history.limits == [] else search.history
    refused = admitted = 0
    for seed in range(60):
        (proposal,) = proposer.propose(1, replayed, np.random.default_rng(seed))
        try:
            config, _ = GATE.screen(proposal, replayed)
        except Rejected as rejection:
            refused += rejection.stage == "limit"
        else:
            admitted += 1
            assert config["head"]["name"] != "gbm" or config["training"]["batch_size"] < 48
    assert refused
    assert admitted


def test_a_smaller_candidate_passes_the_limit() -> None:
    search = world(plant.memory)
    search.start(net(training=BIG))
    search.repair()
    with pytest.raises(Rejected, match="in nothing smaller than c0000, which ran out of memory"):
        GATE.screen(Proposal(config=net([*LSTM, *LSTM], training={"batch_size": 96})), search.history)
    GATE.screen(Proposal(config=net(training={"batch_size": 24})), search.history)
    GATE.screen(Proposal(config=net([{"name": "gru"}], training=BIG)), search.history)


def test_a_failure_that_comes_back_is_stalled_though_its_text_differs() -> None:
    steps = iter(range(1000))

    def fails(config: dict[str, Any]) -> None:
        raise TrialFailed(f"the training loss became nan between steps {next(steps)} and {next(steps)}")

    search = world(fails)
    search.start(net())
    search.repair()
    assert "stalled: the same failure came back after 2 repairs" in search.diagnoses[-1].reason
    assert len(search.history.trials) == 3


def test_a_lineage_ends_though_every_failure_is_a_new_one() -> None:
    words = iter(["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta"])

    def fails(config: dict[str, Any]) -> None:
        raise TrialFailed(f"the {next(words)} loss became nan")

    search = world(fails)
    search.start(net(head={"name": "sde", "hidden": 64}, training={"learning_rate": 8e-3}))
    search.repair()
    assert len(search.history.trials) == 1 + MAX_DEPTH
    assert "3 repairs in a row did not help" in search.diagnoses[-1].reason


def test_a_failure_given_up_twice_is_not_worked_on_again() -> None:
    def fails(config: dict[str, Any]) -> None:
        raise TrialFailed("the training loss became nan between steps 1 and 2")

    search = world(fails)
    for rate in (1e-3, 2e-3, 4e-3):
        search.start(net(training={"learning_rate": rate}))
        search.repair()
    assert "given up 2 times before" in search.diagnoses[-1].reason
    assert search.history.records[-1].candidate.source == "tpe"


def test_repairs_take_at_most_a_quarter_of_the_trials() -> None:
    search = world(plant.nan_loss, trials=4)
    for rate in (4e-3, 5e-3):
        search.start(net(training={"learning_rate": rate}))
        search.repair()
    assert sum(record.candidate.source == "debugger" for record in search.history.records) == 1
    assert "a quarter" in search.diagnoses[-1].reason


def test_what_the_gate_refuses_leads_to_the_next_remedy() -> None:
    search = world(plant.nan_loss)
    search.start(net(training={"learning_rate": 1e-3}))
    search.start(net(head={"name": "sde", "hidden": 64}, training={"learning_rate": 4e-3}))
    search.start(net(head={"name": "sde", "hidden": 64}, training={"learning_rate": 1e-3}))
    search.repair()
    assert search.history.rejections[0].stage == "duplicate"
    assert search.history.rejections[0].parent == "c0001"
    child = search.history.records[-1]
    assert (child.status, child.candidate.parent) == ("completed", "c0001")
    assert "head.hidden 64 to 32" in child.candidate.rationale


def test_a_lost_machine_is_not_the_debuggers() -> None:
    search = world(plant.nan_loss)
    search.start(net(training={"learning_rate": 1e-3}))
    failure = {"class": "WorkerDied", "message": "its worker died 8 times; memory that ran out", "traceback": ""}
    search.tell("trial_finished", id="c0000", status="failed", failure=failure)
    search.repair()
    assert (search.diagnoses[0].action, search.diagnoses[0].cause) == ("leave", "machine")


def test_without_a_model_it_says_so() -> None:
    search = world(plant.obscure)
    search.start(net())
    search.repair()
    assert search.diagnoses[0].by == "catalogue"
    assert "no language model may be asked (search.debugger is not llm)" in search.diagnoses[0].reason

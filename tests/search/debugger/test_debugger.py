from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from synthcity.agents.client import LLMClient
from synthcity.agents.config import CapsConfig, LLMConfig, PatienceConfig
from synthcity.agents.standin.process import RunningStandIn, running_standin
from synthcity.errors import TrialFailed
from synthcity.search.candidate import Proposal
from synthcity.search.debugger import Consultant, Debugger
from synthcity.search.debugger.debugger import MAX_DEPTH, lineage_of
from synthcity.search.gate import Rejected
from synthcity.search.history import History
from synthcity.search.proposers import make_arms
from synthcity.settings import Secret, Settings
from tests.search.debugger import plant
from tests.search.debugger.plant import GATE, SPACE, World

KEY = f"cpk_{'0a' * 16}.{'1b' * 16}.{'Zz' * 16}"
GBM = {"name": "gbm"}
LSTM = [{"name": "lstm"}]
BIG = {"batch_size": 48}


def world(train: plant.Train, trials: int = 40, consultant: Consultant | None = None) -> World:
    return World(train, Debugger(space=SPACE, gate=GATE, trials=trials, consultant=consultant))


def net(blocks: list[dict[str, Any]] = LSTM, head: dict[str, Any] = GBM, **more: Any) -> dict[str, Any]:
    return {"blocks": blocks, "head": head, **more}


# what is planted, where, and what becomes of it: the repair that works, or the action and cause that stand instead
PLANTED: dict[str, tuple[plant.Train, dict[str, Any], str, str]] = {
    "shape": (
        plant.shape,
        net([{"name": "wavenet", "skip_channels": 64}]),
        "repaired",
        "blocks.0.skip_channels 64 to 32",
    ),
    "dtype": (plant.dtype, net([*LSTM, {"name": "mamba"}]), "repaired", "without blocks.1 (mamba)"),
    "divisibility": (
        plant.divisibility,
        net(head={"name": "mixture", "num_regimes": 4}),
        "repaired",
        "head.num_regimes 4 to 3",
    ),
    "nan": (
        plant.nan_loss,
        net(training={"learning_rate": 4e-3}),
        "repaired",
        "training.learning_rate 0.004 to 0.001",
    ),
    "explosion": (plant.volatility, net(head={"name": "gbm", "innovation": "normal"}), "repaired", "normal to student"),
    "argument": (plant.argument, net([{"name": "nbeats", "basis": "seasonal"}]), "repaired", "seasonal to generic"),
    "pairing": (plant.pairing, net(head={"name": "copula"}), "repaired", "head.name copula to gbm"),
    "memory": (plant.memory, net(training=BIG), "limit", "memory"),
    "time": (plant.timeout, net(), "limit", "time"),
    "data": (plant.data_gap, net(), "leave", "data"),
    "device": (plant.device, net([{"name": "gru"}, *LSTM]), "repaired", "without blocks.0 (gru)"),
    "author": (plant.author_bug, net([{"name": "tcn"}]), "leave", "program"),
}


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
    replayed = History() if search.history.limits == [] else search.history
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


# with a language model


@pytest.fixture(scope="module")
def running() -> Iterator[RunningStandIn]:
    with running_standin() as server:
        yield server


@pytest.fixture
def ask(running: RunningStandIn) -> Iterator[Callable[..., tuple[World, LLMClient]]]:
    opened: list[LLMClient] = []

    def make(train: plant.Train, replies: list[Any], **config: Any) -> tuple[World, LLMClient]:
        running.script(replies)
        settings = Settings(llm_base_url=running.url, llm_api_key=Secret(KEY))
        opened.append(LLMClient(settings, LLMConfig(**config)))
        return world(train, consultant=Consultant(opened[-1], "Forecast.")), opened[-1]

    yield make
    for client in opened:
        client.close()


def finish(*changes: tuple[str, Any], cause: str = "degenerate") -> dict[str, Any]:
    patch = [{"path": path, "value": value} for path, value in changes]
    return call("finish", cause=cause, evidence="the spectrum is degenerate", changes=patch)


def call(name: str, /, **arguments: Any) -> dict[str, Any]:
    return {"tool_calls": [{"name": name, "arguments": arguments}]}


def work(search: World, until: Callable[[], Any]) -> None:
    """Repair until something holds, as the feed would: again and again, never waiting."""
    end = time.monotonic() + 60
    while not until():
        search.repair()
        assert time.monotonic() < end
        time.sleep(0.01)


def test_what_the_catalogue_does_not_know_a_model_repairs(
    running: RunningStandIn, ask: Callable[..., tuple[World, LLMClient]]
) -> None:
    look = [call("read_component", kind="block", name="lstm"), call("similar_trials")]
    trial = call("try_patch", changes=[{"path": "history", "value": 24}])
    search, client = ask(plant.obscure, [*look, trial, finish(("history", 24))])
    search.start(net())
    begin = time.monotonic()
    assert search.debugger.next(search.history) is None  # thinking, and nobody waits
    assert time.monotonic() - begin < 1.0
    work(search, lambda: len(search.history.trials) == 2)
    child = search.history.records[-1]
    assert (child.status, child.candidate.parent) == ("completed", "c0000")
    assert child.candidate.rationale == "degenerate (model): history 48 to 24"
    assert child.candidate.usd == pytest.approx(client.ledger.account("debugger-c0000").usd)
    assert child.candidate.usd > 0
    last = running.questions()[-1]["messages"]
    assert "the spectrum is degenerate" in last[0]["content"]
    said = [message["content"] for message in last if message["role"] == "tool"]
    assert said[0].startswith("Blocks:\n- lstm")
    assert said[1:] == ["there are no others yet", "the gate would take it"]


def test_talking_is_no_patch_and_every_round_is_warmer(
    running: RunningStandIn, ask: Callable[..., tuple[World, LLMClient]]
) -> None:
    search, client = ask(plant.obscure, ["plain"] * 20)
    search.start(net())
    work(search, lambda: search.diagnoses)
    assert len(search.history.trials) == 1
    (diagnosis,) = search.diagnoses
    assert (diagnosis.action, diagnosis.by) == ("leave", "model")
    assert "without calling a tool" in diagnosis.reason
    assert diagnosis.usd == pytest.approx(client.ledger.run.usd)
    warmth = [question["temperature"] for question in running.questions()]
    assert warmth == pytest.approx([0.7] * 3 + [0.9] * 3 + [1.1] * 3)


def test_a_patch_that_comes_again_ends_it(running: RunningStandIn, ask: Callable[..., tuple[World, LLMClient]]) -> None:
    search, _ = ask(plant.obscure, [finish(("history", 25))] * 9)
    search.start(net())
    work(search, lambda: search.diagnoses)
    assert "the same patch came again" in search.diagnoses[0].reason
    assert len(running.questions()) == 2


@pytest.mark.parametrize("path", ["seed", "budget", "search.max_steps", "training.max_steps", "data", "scorer", "hash"])
def test_nothing_but_the_configuration_can_be_changed(ask: Callable[..., tuple[World, LLMClient]], path: str) -> None:
    search, _ = ask(plant.obscure, [finish((path, 1)), finish((path, 2)), finish((path, 3))])
    search.start(net())
    work(search, lambda: search.diagnoses)
    assert f"unknown path '{path}'" in search.diagnoses[0].reason
    assert len(search.history.trials) == 1


def test_a_model_that_never_helps_is_asked_a_bounded_number_of_times(
    running: RunningStandIn, ask: Callable[..., tuple[World, LLMClient]]
) -> None:
    def fails(config: dict[str, Any]) -> None:
        raise RuntimeError("the spectrum is degenerate")

    search, _ = ask(fails, [finish(("d_model", 48)), finish(("d_model", 64)), finish(("d_model", 16))])
    search.start(net())
    work(search, lambda: search.diagnoses)
    assert "stalled" in search.diagnoses[0].reason
    assert len(search.history.trials) == 3
    first, second = running.questions()
    assert [first["temperature"], second["temperature"]] == pytest.approx([0.7, 0.9])
    assert "degenerate (model): d_model 32 to 48: then RuntimeError" in second["messages"][0]["content"]


def test_a_model_may_say_that_nothing_helps(ask: Callable[..., tuple[World, LLMClient]]) -> None:
    search, _ = ask(plant.obscure, [finish(cause="the library is broken")])
    search.start(net())
    work(search, lambda: search.diagnoses)
    assert search.diagnoses[0].reason.startswith("the library is broken")


def test_a_model_that_is_away_is_waited_for_and_known_bugs_are_repaired_meanwhile(
    ask: Callable[..., tuple[World, LLMClient]],
) -> None:
    patience = PatienceConfig(attempts=1, first_wait_seconds=0.01, failures=1, rest_seconds=1.0, deadline_seconds=5)
    replies = ["error", finish(("history", 24))]

    def train(config: dict[str, Any]) -> None:
        plant.obscure(config)
        plant.nan_loss(config)

    search, _ = ask(train, replies, patience=patience)
    search.start(net())
    search.debugger.next(search.history)
    search.start(net(history=24, training={"learning_rate": 4e-3}))
    work(search, lambda: len(search.history.scored) == 2)
    assert search.diagnoses == []
    roots = [lineage_of(record, search.history)[0].candidate.id for record in search.history.scored]
    assert roots == ["c0001", "c0000"]


def test_an_endpoint_that_fails_once_is_asked_again(ask: Callable[..., tuple[World, LLMClient]]) -> None:
    patience = PatienceConfig(attempts=1, failures=5)
    search, _ = ask(plant.obscure, ["bad_request", finish(("history", 24))], patience=patience)
    search.start(net())
    work(search, lambda: search.history.scored)
    assert search.diagnoses == []


def test_an_empty_purse_ends_it(running: RunningStandIn, ask: Callable[..., tuple[World, LLMClient]]) -> None:
    search, client = ask(plant.obscure, [], caps=CapsConfig(usd_per_proposal=1e-6))
    search.start(net())
    work(search, lambda: search.diagnoses)
    assert "past its cap" in search.diagnoses[0].reason
    assert client.ledger.run.calls == 0
    assert running.questions() == []


def test_without_a_key_it_says_so() -> None:
    with LLMClient(Settings(), LLMConfig()) as client:
        search = world(plant.obscure, consultant=Consultant(client, "Forecast."))
        search.start(net())
        search.repair()
    assert "there is no language model" in search.diagnoses[0].reason
    assert "CHUTES_API_KEY" in search.diagnoses[0].reason

"""Failures that a language model is asked about; it is scripted and runs as a server in its own process."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from synthcity.agents.client import LLMClient
from synthcity.agents.config import CapsConfig, LLMConfig, PatienceConfig
from synthcity.agents.standin.process import RunningStandIn, running_standin
from synthcity.search.debugger import Consultant
from synthcity.search.debugger.debugger import MAX_DEPTH
from synthcity.search.debugger.tools import lineage_of
from synthcity.search.journal.diagnosis import read_patch
from synthcity.settings import Secret, Settings
from tests.search.debugger import plant
from tests.search.debugger.plant import PLANTED, World, net, world

KEY = f"cpk_{'0a' * 16}.{'1b' * 16}.{'Zz' * 16}"


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


# the changes that a model would have to think of, by what was planted
CURES: dict[str, list[tuple[str, Any]]] = {
    "shape": [("blocks.0.skip_channels", 32)],
    "dtype": [("blocks.1", None)],
    "divisibility": [("head.num_regimes", 3)],
    "nan": [("training.learning_rate", 1e-3)],
    "explosion": [("head.innovation", "student")],
    "argument": [("blocks.0.basis", "generic")],
    "pairing": [("head.name", "gbm")],
    "device": [("blocks.0", None)],
}


def disguised(train: plant.Train) -> plant.Train:
    """The same bug with a text that no catalogue knows."""

    def fails(config: dict[str, Any]) -> None:
        try:
            train(config)
        except Exception:  # noqa: BLE001
            raise RuntimeError("the spectrum is degenerate") from None

    return fails


@pytest.mark.parametrize("kind", CURES)
def test_every_planted_bug_that_can_be_repaired_is_by_a_model_too(
    running: RunningStandIn, ask: Callable[..., tuple[World, LLMClient]], kind: str
) -> None:
    train, config, end, told = PLANTED[kind]
    assert end == "repaired"
    search, _ = ask(disguised(train), [finish(("d_model", 48)), finish(*CURES[kind])])
    search.start(net(**config))
    work(search, lambda: search.history.scored)
    first, child = search.history.records[1:]
    assert (first.status, child.status) == ("failed", "completed"), "a wrong patch is answered by another"
    assert child.candidate.parent == first.candidate.id
    assert read_patch(child.candidate.rationale).by == "model"
    assert told.split(" (")[0] in child.candidate.rationale
    assert search.diagnoses == []
    assert len(running.questions()) == 2


@pytest.mark.parametrize("kind", sorted(set(PLANTED) - set(CURES)))
def test_what_no_patch_can_mend_asks_no_model(
    running: RunningStandIn, ask: Callable[..., tuple[World, LLMClient]], kind: str
) -> None:
    train, config, end, told = PLANTED[kind]
    search, _ = ask(train, [finish(("d_model", 48))])
    search.start(net(**config))
    work(search, lambda: search.diagnoses)
    assert [(each.action, each.cause, each.by) for each in search.diagnoses] == [(end, told, "catalogue")]
    assert len(search.history.trials) == 1
    assert running.questions() == []


@pytest.mark.parametrize("kind", CURES)
def test_a_model_that_never_helps_loops_on_no_bug(
    running: RunningStandIn, ask: Callable[..., tuple[World, LLMClient]], kind: str
) -> None:
    train, config, _, _ = PLANTED[kind]
    error: list[Exception] = []
    try:
        train(plant.canonical(config))
    except Exception as found:  # noqa: BLE001
        error.append(found)

    def always(_: dict[str, Any]) -> None:
        raise error[0]

    replies = [finish(("history", history)) for history in (24, 36, 60, 72, 96, 120)]
    search, _ = ask(always, replies)
    search.start(net(**config))
    work(search, lambda: search.diagnoses)
    assert len(search.history.trials) <= 1 + MAX_DEPTH
    assert search.diagnoses[-1].action == "leave"
    assert len(running.questions()) <= 1 + MAX_DEPTH
    assert search.repair() == 0


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

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from synthcity.agents.client import LLMClient
from synthcity.agents.config import LLMConfig, PatienceConfig
from synthcity.agents.standin.process import RunningStandIn, running_standin
from synthcity.errors import LLMAnswerError, LLMUnavailable
from synthcity.search.candidates.candidate import Proposal
from synthcity.search.candidates.contract import proposals_schema
from synthcity.search.candidates.space import Space
from synthcity.search.config import ArmConfig
from synthcity.search.gate import Gate, GateLimits
from synthcity.search.journal.history import Fold, TrialHistory
from synthcity.search.journal.journal import Journal
from synthcity.search.journal.recorder import Recorder
from synthcity.search.proposers import BackgroundProposer, LLMProposer, Planner, make_arms
from synthcity.search.proposers.llm import RULES, STALLED
from synthcity.search.proposers.portfolio import Portfolio
from synthcity.search.proposers.stall import again
from synthcity.settings import Secret, Settings
from tests.search.builders import candidate, config, history, tell

SPACE = Space.from_registry(2)
GATE = Gate(SPACE, lambda config: {"parameters": 1}, GateLimits(max_parameters=10))
KEY = f"cpk_{'0a' * 16}.{'1b' * 16}.{'Zz' * 16}"
RNG = np.random.default_rng(0)
TOLD = [*tell(candidate(0), 5500.0, 5400.0), *tell(candidate(1), status="failed")]
KNOWN = history(TOLD)


@pytest.fixture(scope="module")
def running() -> Iterator[RunningStandIn]:
    with running_standin() as server:
        yield server


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Recorder]:
    with Journal(tmp_path / "run") as journal:
        recorder = Recorder(journal)
        for event in TOLD:
            recorder.emit(event["kind"], **{k: v for k, v in event.items() if k not in ("kind", "time")})
        yield recorder


@pytest.fixture
def client(running: RunningStandIn, tmp_path: Path) -> Iterator[LLMClient]:
    with open_client(running, tmp_path) as client:
        yield client


def open_client(running: RunningStandIn, folder: Path) -> LLMClient:
    patience = PatienceConfig(attempts=2, first_wait_seconds=0.01)
    settings = Settings(llm_base_url=running.url, llm_api_key=Secret(KEY))
    return LLMClient(settings, LLMConfig(patience=patience), folder=folder)


def arm(client: Any, recorder: Recorder, name: str = "llm.refine") -> LLMProposer:
    planner = Planner(client=client, gate=GATE, recorder=recorder, task="Forecast.", budget=lambda _: "Much.")
    return LLMProposer(name, SPACE, planner)


def wait(proposer: LLMProposer, recorder: Recorder) -> list[Any]:
    end = time.monotonic() + 60
    while not (found := proposer.propose(1, recorder.history, RNG)):
        assert time.monotonic() < end
        time.sleep(0.01)
    return found


def answer(**changes: Any) -> dict[str, Any]:
    base = {"parent": "c0000", "category": "block", "rationale": "try it", "predicted_score": 5300.0}
    return {**base, "config": {"blocks": [{"name": "tcn"}], "head": {"name": "gbm"}}, **changes}


def test_the_schema_takes_every_point_of_the_space_and_nothing_else() -> None:
    validator = Draft202012Validator(proposals_schema(SPACE, 2))
    rng = np.random.default_rng(3)
    for _ in range(20):
        validator.validate({"proposals": [answer(config=SPACE.sample(rng))]})
    for wrong in ({"blocks": [{"name": "none"}]}, {"blocks": [], "head": {"name": "gbm", "x": 1}}):
        assert not validator.is_valid({"proposals": [answer(config=wrong)]})


def test_a_slow_model_never_holds_up_propose(recorder: Recorder) -> None:
    asked, release = threading.Event(), threading.Event()

    class Slow(LLMClient):
        def complete(self, *arguments: Any, **options: Any) -> Any:
            asked.set()
            release.wait(60)
            raise LLMUnavailable("too slow")

    proposer = arm(Slow(Settings(llm_base_url="http://127.0.0.1:9/v1", llm_api_key=Secret(KEY))), recorder)
    assert proposer.propose(1, KNOWN, RNG) == []
    assert asked.wait(20)
    assert proposer.propose(1, KNOWN, RNG) == []  # would hang here if it waited
    release.set()
    with pytest.raises(LLMUnavailable, match="too slow"):
        wait(proposer, recorder)


def test_proposals_of_a_model_pass_the_gate(running: RunningStandIn, client: LLMClient, recorder: Recorder) -> None:
    running.script([{"content": {"proposals": [answer()]}}])
    (proposal,) = wait(arm(client, recorder), recorder)
    admitted = GATE.admit(proposal, "llm.refine", KNOWN)
    assert (admitted.parent, admitted.architecture) == ("c0000", "tcn>gbm")
    (question,) = running.questions()
    text = question["messages"][-1]["content"]
    assert "the loss became nan, 1x" in text
    assert "c0000: 5500.0 5400.0 (still falling)" in text


def test_what_the_gate_refuses_goes_back_once_with_the_reason(
    running: RunningStandIn, client: LLMClient, recorder: Recorder
) -> None:
    again = answer(config=dict(candidate(0).config))
    running.script([{"content": {"proposals": [again]}}, {"content": {"proposals": [answer()]}}])
    (proposal,) = wait(arm(client, recorder), recorder)
    assert proposal.config == answer()["config"]
    assert "the same network as c0000" in running.questions()[1]["messages"][-1]["content"]


def test_without_a_key_the_arm_is_closed_and_says_why(recorder: Recorder) -> None:
    with LLMClient(Settings(), LLMConfig()) as client:
        proposer = arm(client, recorder)
        assert isinstance(proposer, BackgroundProposer)
        assert proposer.standing.state == "closed"
        assert "CHUTES_API_KEY" in proposer.standing.reason


def test_arms_that_ask_need_a_planner() -> None:
    with pytest.raises(ValueError, match="needs a planner"):
        make_arms(["llm.refine"], SPACE)


def test_an_empty_history_is_told_too(running: RunningStandIn, client: LLMClient, tmp_path: Path) -> None:
    running.script([{"content": {"proposals": [answer(parent=None, config=config())]}}])
    with Journal(tmp_path / "empty") as journal:
        recorder = Recorder(journal)
        assert wait(arm(client, recorder, "llm.structure"), recorder)[0].parent is None


def several(*rates: float) -> dict[str, Any]:
    parts = {"blocks": [{"name": "tcn"}], "head": {"name": "gbm"}}
    configs = [{**parts, "training": {"learning_rate": rate}} for rate in rates]
    return {"content": {"proposals": [answer(config=each) for each in configs]}}


def admit(recorder: Recorder, proposal: Proposal) -> None:
    recorder.emit("candidate", **GATE.admit(proposal, "llm.refine", recorder.history).to_dict())


def test_what_is_paid_for_outlives_the_process(running: RunningStandIn, client: LLMClient, recorder: Recorder) -> None:
    running.script([several(1e-3, 2e-3, 3e-3)])
    first = wait(arm(client, recorder), recorder)[0]
    admit(recorder, first)
    client.close()
    recorder._fold = Fold.of(recorder.events)  # another process knows the events alone
    with LLMClient(Settings()) as keyless:
        proposer = arm(keyless, recorder)
        assert proposer.standing.state == "open"  # what is paid for waits
        for rate in (2e-3, 3e-3):
            (proposal,) = proposer.propose(1, recorder.history, RNG)
            assert proposal.config["training"]["learning_rate"] == rate
            admit(recorder, proposal)
        assert proposer.standing.state == "closed"
    assert len(running.questions()) == 1
    paid = sum(record.candidate.usd for record in recorder.history.records)
    assert paid == pytest.approx(client.ledger.run.usd)


def test_an_answer_that_was_not_journalled_any_more_is_found_in_the_transcript(
    running: RunningStandIn, client: LLMClient, recorder: Recorder, tmp_path: Path
) -> None:
    running.script([several(1e-3, 2e-3)])
    proposer = arm(client, recorder)
    proposer._ask(recorder.history, "llm.refine-0")  # and the process is killed
    client.close()
    with open_client(running, tmp_path) as resumed:
        proposer = arm(resumed, recorder)
        (proposal,) = wait(proposer, recorder)
        assert resumed.ledger.run.calls == 1
    assert proposal.config["training"]["learning_rate"] == 1e-3
    assert len(recorder.history.waiting("llm.refine")) == 2
    assert len(running.questions()) == 1
    paid = sum(p.usd for p in recorder.history.waiting("llm.refine"))
    assert paid == pytest.approx(resumed.ledger.run.usd)


def test_questions_in_vain_are_charged_to_the_arm(
    running: RunningStandIn, client: LLMClient, recorder: Recorder
) -> None:
    running.script({"replies": [{"do": "break_schema"}, {"do": "plain"}, several(1e-3)]})
    proposer = arm(client, recorder)
    with pytest.raises(LLMAnswerError):
        wait(proposer, recorder)
    (failed,) = recorder.history.answers
    assert (failed.proposals, failed.usd > 0, "does not fit" in failed.error) == ((), True, True)
    (proposal,) = wait(proposer, recorder)
    admit(recorder, proposal)
    arms = {"llm.refine": ArmConfig(share=1.0)}
    assert Portfolio(arms)._usd(recorder.history, "llm.refine") == pytest.approx(client.ledger.run.usd)


def test_what_was_good_stays_good_when_the_correction_fails(
    running: RunningStandIn, client: LLMClient, recorder: Recorder
) -> None:
    known = answer(config=dict(candidate(0).config))
    both = {"content": {"proposals": [known, *several(1e-3)["content"]["proposals"]]}}
    running.script({"replies": [both, "bad_request"]})
    (proposal,) = wait(arm(client, recorder), recorder)
    assert proposal.config["training"]["learning_rate"] == 1e-3
    assert "bad_request" in recorder.history.answers[0].error


def test_no_two_arms_ever_ask_the_same() -> None:
    asked = [*RULES.values(), *STALLED.values()]
    assert RULES.keys() == STALLED.keys()
    assert len(set(asked)) == len(asked)


@pytest.mark.parametrize(
    ("level", "temperature", "model"),
    [(0, 0.7, "standin/General-TEE"), (1, 0.9, "standin/General-TEE"), (3, 0.9, "standin/Coder-TEE")],
)
def test_a_stall_changes_the_question(
    running: RunningStandIn, tmp_path: Path, level: int, temperature: float, model: str
) -> None:
    running.script([several(1e-3), several(2e-3)])
    asked = LLMConfig(models=("*General*",), stronger=("*Coder*",))
    settings = Settings(llm_base_url=running.url, llm_api_key=Secret(KEY))
    with Journal(tmp_path / "stalled") as journal, LLMClient(settings, asked) as client:
        recorder = Recorder(journal)
        told = [event for number in range(6) for event in tell(candidate(number), 5400.0 + number)]
        known = TrialHistory.replay(told)
        told += tell(again(known.trials["c0000"], known), 5400.5)  # hidden with the network it is a seed of
        for event in told:
            recorder.emit(event["kind"], **{k: v for k, v in event.items() if k not in ("kind", "time")})
        planner = Planner(
            client=client,
            gate=GATE,
            recorder=recorder,
            task="Forecast.",
            budget=lambda _: "Much.",
            stall=lambda history: level,
        )
        proposer = LLMProposer("llm.refine", SPACE, planner)
        (proposal,) = wait(proposer, recorder)
        admit(recorder, proposal)
        wait(proposer, recorder)
    first, second = running.questions()
    assert first["temperature"] == pytest.approx(temperature)
    assert [first["model"], second["model"]] == [model, "standin/General-TEE"]  # the stronger one is asked once
    text = first["messages"][-1]["content"]
    assert (STALLED["llm.refine"] in text) == (level >= 1)
    assert ("\nc0000\t" in text) == (level < 2)
    assert ("over 2 seeds" in text) == (level < 2)
    assert level < 2 or "c0006" not in text
    assert "\nc0004\t" in text

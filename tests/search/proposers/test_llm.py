from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from synthcity.agents.client import LLMClient
from synthcity.agents.config import LLMConfig
from synthcity.agents.standin.process import RunningStandIn, running_standin
from synthcity.errors import LLMUnavailable
from synthcity.search.contract import proposals_schema
from synthcity.search.gate import Gate, Limits
from synthcity.search.history import History
from synthcity.search.proposers import BackgroundProposer, LLMProposer, Planner, make_arms
from synthcity.search.space import Space
from synthcity.settings import Secret, Settings
from tests.search.builders import candidate, config, history, tell

SPACE = Space.from_registry(2)
GATE = Gate(SPACE, lambda config: {"parameters": 1}, Limits(max_parameters=10))
KEY = f"cpk_{'0a' * 16}.{'1b' * 16}.{'Zz' * 16}"
RNG = np.random.default_rng(0)
KNOWN = history(tell(candidate(0), 5500.0, 5400.0), tell(candidate(1), status="failed"))


@pytest.fixture(scope="module")
def running() -> Iterator[RunningStandIn]:
    with running_standin() as server:
        yield server


def arm(client: Any, name: str = "llm.refine") -> LLMProposer:
    return LLMProposer(name, SPACE, Planner(client=client, gate=GATE, task="Forecast.", budget=lambda _: "Much."))


def wait(proposer: LLMProposer, known: History = KNOWN) -> list[Any]:
    end = time.monotonic() + 60
    while not (found := proposer.propose(1, known, RNG)):
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


def test_a_slow_model_never_holds_up_propose() -> None:
    asked, release = threading.Event(), threading.Event()

    class Slow(LLMClient):
        def complete(self, *arguments: Any, **options: Any) -> Any:
            asked.set()
            release.wait(60)
            raise LLMUnavailable("too slow")

    proposer = arm(Slow(Settings(llm_base_url="http://127.0.0.1:9/v1", llm_api_key=Secret(KEY))))
    assert proposer.propose(1, KNOWN, RNG) == []
    assert asked.wait(20)
    assert proposer.propose(1, KNOWN, RNG) == []  # would hang here if it waited
    release.set()
    with pytest.raises(LLMUnavailable, match="too slow"):
        wait(proposer)


def test_proposals_of_a_model_pass_the_gate(running: RunningStandIn) -> None:
    running.script([{"content": {"proposals": [answer()]}}])
    with LLMClient(Settings(llm_base_url=running.url, llm_api_key=Secret(KEY)), LLMConfig()) as client:
        (proposal,) = wait(arm(client))
    admitted = GATE.admit(proposal, "llm.refine", KNOWN)
    assert (admitted.parent, admitted.architecture) == ("c0000", "tcn>gbm")
    (question,) = running.questions()
    text = question["messages"][-1]["content"]
    assert "the loss became nan, 1x" in text
    assert "c0000: 5500.0 5400.0 (still falling)" in text


def test_what_the_gate_refuses_goes_back_once_with_the_reason(running: RunningStandIn) -> None:
    again = answer(config=dict(candidate(0).config))
    running.script([{"content": {"proposals": [again]}}, {"content": {"proposals": [answer()]}}])
    with LLMClient(Settings(llm_base_url=running.url, llm_api_key=Secret(KEY)), LLMConfig()) as client:
        (proposal,) = wait(arm(client))
    assert proposal.config == answer()["config"]
    assert "the same network as c0000" in running.questions()[1]["messages"][-1]["content"]


def test_without_a_key_the_arm_is_closed_and_says_why() -> None:
    with LLMClient(Settings(), LLMConfig()) as client:
        proposer = arm(client)
        assert isinstance(proposer, BackgroundProposer)
        assert proposer.standing.state == "closed"
        assert "CHUTES_API_KEY" in proposer.standing.reason


def test_arms_that_ask_need_a_planner() -> None:
    with pytest.raises(ValueError, match="needs a planner"):
        make_arms(["llm.refine"], SPACE)


def test_an_empty_history_is_told_too(running: RunningStandIn) -> None:
    running.script([{"content": {"proposals": [answer(parent=None, config=config())]}}])
    with LLMClient(Settings(llm_base_url=running.url, llm_api_key=Secret(KEY)), LLMConfig()) as client:
        assert wait(arm(client, "llm.structure"), History())[0].parent is None

"""A plan by a scripted model, within the space of sweep files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from synthcity.agents.client import LLMClient
from synthcity.agents.config import LLMConfig
from synthcity.agents.standin.process import RunningStandIn, running_standin
from synthcity.pipeline.config import Sweep, load_pipeline
from synthcity.pipeline.events import Ended, Failed, Judged, Planned, Searched
from synthcity.pipeline.state import Round, State
from synthcity.pipeline.steps.agent import Agent, plan_schema
from synthcity.settings import Secret, Settings
from tests.pipeline.standin import began

FILE = Path(__file__).parents[3] / "configs" / "quickstart-pipeline.yaml"
KEY = f"cpk_{'0a' * 16}.{'1b' * 16}.{'Zz' * 16}"
GOOD = {"reason": "Longer training gained most so far.", "settings": {"search.max_steps": 800, "data.bursts": False}}
NOW = Round(began=began(2), time=0.0)
BEFORE = Round(
    began=began(1),
    time=0.0,
    planned=(Planned(round=1, attempt=1, by="rule", reason="the usual", settings=("search.seed=1",), fingerprint="a"),),
    searched=Searched(round=1, attempt=1, run="round-0001-1", sentence=""),
    judged=Judged(round=1, passed=False, reason="nothing is proven: -0.3 %"),
    ended=Ended(round=1, outcome="nothing proven", reason=""),
)
STATE = State(rounds=(BEFORE, NOW))

Make = Callable[..., Agent]


@pytest.fixture(scope="module")
def server() -> Iterator[RunningStandIn]:
    with running_standin() as running:
        yield running


@pytest.fixture(scope="module")
def sweep() -> Sweep:
    return load_pipeline(FILE).sweeps["crypto-24h"]


@pytest.fixture
def make(server: RunningStandIn, tmp_path: Path) -> Iterator[Make]:
    clients: list[LLMClient] = []

    def made(key: str = KEY, **options: Any) -> Agent:
        settings = Settings(llm_base_url=server.url, llm_api_key=Secret(key))
        clients.append(LLMClient(settings, LLMConfig(models=("*General*",)), folder=tmp_path))
        return Agent(clients[-1], tmp_path / "runs", **options)

    yield made
    for client in clients:
        client.close()


def says(value: object) -> dict[str, object]:
    return {"do": "good", "content": value}


def test_a_model_plans_and_says_why(make: Make, sweep: Sweep, server: RunningStandIn) -> None:
    server.script([says(GOOD)])
    plan = make()(sweep, STATE, NOW, 0.3)
    assert (plan.by, plan.reason) == ("agent", "Longer training gained most so far.")
    assert plan.settings == ("search.seed=2001", "data.bursts=false", "search.max_steps=800")
    assert plan.usd > 0
    asked = server.questions()[0]
    assert asked["temperature"] == 0.3
    assert "round 1: the usual (search.seed=1); nothing is proven: -0.3 %" in asked["messages"][0]["content"]


def test_what_was_paid_for_is_not_asked_again(make: Make, sweep: Sweep, server: RunningStandIn) -> None:
    server.script([says(GOOD)])
    first = make()(sweep, STATE, NOW, 0.3)
    assert make()(sweep, STATE, NOW, 0.3) == first, "another process, after a kill before the plan was journalled"
    assert len(server.questions()) == 1
    server.script([says({**GOOD, "reason": "Another attempt of the round."})])
    failed = replace(NOW, failed=(Failed(round=2, attempt=1, reason="too slow"),))
    assert make()(sweep, STATE, failed, 0.4).reason == "Another attempt of the round."


def test_what_a_killed_process_was_charged_counts_whoever_plans_then(
    make: Make, sweep: Sweep, server: RunningStandIn
) -> None:
    wrong = says({**GOOD, "settings": {"search.trials": 5000}})
    server.script([wrong, wrong])
    first = make()(sweep, STATE, NOW, 0.3)
    assert make(budget_usd=0.1)(sweep, STATE, NOW, 0.3).usd == first.usd > 0
    server.script([says(GOOD)])
    assert make()(sweep, STATE, NOW, 0.3).usd > first.usd


@pytest.mark.parametrize("settings", [{"search.trials": 5000}, {"llm.caps.usd_per_run": 1e6}, {"output": "/etc"}, {}])
def test_outside_the_space_there_is_no_plan(
    settings: dict[str, object], make: Make, sweep: Sweep, server: RunningStandIn
) -> None:
    wrong = says({**GOOD, "settings": settings})
    server.script([wrong, wrong])
    plan = make()(sweep, STATE, NOW, 0.3)
    assert plan.by == "rule"
    assert plan.reason.startswith("the language model is of no help (the answer of ")
    assert plan.usd > 0, "it was paid for all the same"


def test_without_a_model_or_money_the_rule_plans_and_says_so(make: Make, sweep: Sweep, server: RunningStandIn) -> None:
    server.script([])
    plan = make(budget_usd=0.1)(sweep, STATE, NOW, 0.3)
    assert (plan.by, server.questions()) == ("rule", [])
    assert "0.10 USD of the budget are left, and a plan may take 0.25" in plan.reason


def test_no_plan_is_dearer_than_the_sweep_file(sweep: Sweep) -> None:
    properties: Any = plan_schema(sweep)["properties"]
    assert properties["settings"]["properties"]["search.trials"]["maximum"] == sweep.config.search.trials

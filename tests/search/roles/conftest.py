"""Roles at work against a scripted model, on one simulated market."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from synthcity.agents.client import LLMClient
from synthcity.agents.standin.process import RunningStandIn, running_standin
from synthcity.search.config import SearchConfig, parse_config
from synthcity.search.roles import find_role
from synthcity.search.roles.context import RoleContext
from synthcity.search.roles.role import Outcome, work
from synthcity.settings import Secret, Settings

KEY = f"cpk_{'0a' * 16}.{'1b' * 16}.{'Zz' * 16}"
NET = {"blocks": [{"name": "gru"}], "head": {"name": "gbm"}, "d_model": 16, "history": 24}
SWEEP = {
    "competition": "crypto-24h",
    "data": {
        "source": "simulated",
        "assets": ["BTC"],
        "periods": {
            "train": ["2025-02-15", "2025-03-10"],
            "validation": ["2025-03-10", "2025-03-20"],
            "test": ["2025-03-20", "2025-04-01"],
        },
        "validation_every": "2d",
        "simulated": {"days": 100},
    },
}
VERDICT = {
    "kind": "verdict",
    "time": 9.0,
    "sentence": "Not proven: the baseline fhs wins.",
    "proven": False,
    "proven_against": {"fhs": False},
    "winner": "fhs",
    "winner_is_baseline": True,
    "challenger": None,
    "best_baseline": "fhs",
}

Work = Callable[..., Outcome]


@pytest.fixture(scope="module")
def server() -> Iterator[RunningStandIn]:
    with running_standin() as running:
        yield running


@pytest.fixture(scope="module")
def config() -> SearchConfig:
    return parse_config(SWEEP)


@pytest.fixture(scope="module")
def data(config: SearchConfig) -> Any:
    return RoleContext(config, []).data


@pytest.fixture
def let_work(server: RunningStandIn, tmp_path: Path, config: SearchConfig, data: Any) -> Work:
    def run(
        name: str, answers: list[Any], events: list[dict[str, Any]] | None = None, trial: str | None = None
    ) -> Outcome:
        server.script(answers)
        context = RoleContext(config, list(events or []), trial)
        context.__dict__["data"] = data  # one simulated market for all tests
        with LLMClient(Settings(llm_base_url=server.url, llm_api_key=Secret(KEY)), folder=tmp_path) as client:
            return work(find_role(name), context, client, tmp_path)

    return run


def says(name: str, **arguments: Any) -> dict[str, Any]:
    return {"tool_calls": [{"name": name, "arguments": arguments}]}


def results(outcome: Outcome) -> list[str]:
    return [message["content"] for message in outcome.agent.messages if message["role"] == "tool"]


def proposal(config: dict[str, Any]) -> dict[str, Any]:
    fields = {"parent": None, "category": "block", "rationale": "try it", "predicted_score": 5300.0}
    return {**fields, "config": config}

"""A model in all weathers at once: whatever it does, a caller gets an answer that fits or an ``LLMError``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from synthcity.agents.asking.answers import errors_of
from synthcity.agents.client import LLMClient
from synthcity.agents.config import CapsConfig, PatienceConfig
from synthcity.agents.loop import LoopConfig, run_agent
from synthcity.agents.standin.process import RunningStandIn
from synthcity.agents.standin.script import NAMES
from synthcity.agents.structured import complete_json
from synthcity.agents.tools import ToolRegistry
from synthcity.errors import LLMError
from tests.agents.conftest import Clock
from tests.agents.test_structured import SCHEMA

FOR_GOOD = {"broke", "unauthorized"}  # after these nobody asks again
SLOW = {"drip", "hang"}
WEATHER = {"seed": 7, "weights": {name: 1 for name in NAMES if name not in FOR_GOOD | SLOW} | {"hang": 0.2, "good": 8}}


@pytest.fixture
def client(server: RunningStandIn, make_client: Callable[..., LLMClient], tmp_path: Path) -> LLMClient:
    server.script({"mix": WEATHER})
    caps = CapsConfig(usd_per_run=0.3, tokens_per_run=None, tokens_per_proposal=60_000)
    return make_client(tmp_path, caps=caps, patience=PatienceConfig(read_seconds=0.3, deadline_seconds=100))


def test_json_in_all_weathers(
    client: LLMClient, clock: Clock, make_client: Callable[..., LLMClient], tmp_path: Path
) -> None:
    ends: Counter[str] = Counter()
    for number in range(80):
        messages = [{"role": "user", "content": f"Proposal {number}?"}]
        try:
            done = complete_json(client, messages, SCHEMA, account=f"p{number}", max_tokens=2000)
        except LLMError as error:
            ends[type(error).__name__] += 1
        else:
            assert errors_of(done.value, SCHEMA) == []
            ends["repaired" if done.repaired else "at once"] += 1
        clock.now += 60
    assert ends["at once"] > 12
    assert ends["repaired"] > 2
    assert ends["LLMAnswerError"] > 0
    assert ends["LLMUnavailable"] + ends["LLMRefused"] > 1
    assert client.ledger.run.usd <= 0.3
    assert all(spend.tokens <= 60_000 for spend in client.ledger.accounts.values())
    assert make_client(tmp_path).ledger.accounts == client.ledger.accounts


def test_agents_in_all_weathers(client: LLMClient, clock: Clock) -> None:
    registry = ToolRegistry()

    @registry.tool("planner")
    def look(rows: int = 1) -> str:
        """Look.

        Args:
            rows: how many.
        """
        return "row " * rows

    toolset = registry.build_toolset("planner")
    ends: Counter[str] = Counter()
    for number in range(25):
        bounds = LoopConfig(turns=4, context=5000)
        result = run_agent(client, toolset, system="", task="Plan.", account=f"a{number}", finish=SCHEMA, config=bounds)
        assert result.finished == (result.result is not None) == (result.reason == "")
        ends[result.status] += 1
        clock.now += 700
    assert ends["finished"] > 8
    assert ends["failed"] > 0
    assert client.ledger.run.usd <= 0.3

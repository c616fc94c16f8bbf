from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from synthcity.agents.client import LLMClient
from synthcity.agents.config import LLMConfig, PatienceConfig
from synthcity.agents.standin.process import RunningStandIn, running_standin
from synthcity.settings import Secret, Settings

KEY = f"cpk_{'0a' * 16}.{'1b' * 16}.{'Zz' * 16}"
QUICK = PatienceConfig(connect_seconds=5, read_seconds=10, deadline_seconds=100)


class Clock:
    """Time that passes only where somebody waits."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0
        self.waits: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


@pytest.fixture(scope="session")
def running() -> Iterator[RunningStandIn]:
    with running_standin() as server:
        yield server


@pytest.fixture
def server(running: RunningStandIn) -> RunningStandIn:
    running.script()
    return running


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make_client(server: RunningStandIn, clock: Clock) -> Iterator[Callable[..., LLMClient]]:
    """Make clients of the stand-in; keywords are those of ``LLMConfig``, and ``folder``, ``url`` and ``key``."""
    clients: list[LLMClient] = []

    def make(folder: Path | None = None, url: str = server.url, key: str = KEY, **config: Any) -> LLMClient:
        settings = Settings(llm_base_url=url, llm_api_key=Secret(key))
        whole = LLMConfig(**{"patience": QUICK} | config)
        clients.append(LLMClient(settings, whole, folder=folder, clock=clock, sleep=clock.sleep))
        return clients[-1]

    yield make
    for client in clients:
        client.close()

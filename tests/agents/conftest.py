from __future__ import annotations

from collections.abc import Iterator

import pytest

from synthcity.agents.standin.process import RunningStandIn, running_standin

KEY = f"cpk_{'0a' * 16}.{'1b' * 16}.{'Zz' * 16}"


@pytest.fixture(scope="session")
def running() -> Iterator[RunningStandIn]:
    with running_standin() as server:
        yield server


@pytest.fixture
def server(running: RunningStandIn) -> RunningStandIn:
    running.script()
    return running

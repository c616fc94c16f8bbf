"""A running market for all tests of renting, begun anew for each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rent.builders import Virtual
from tests.standins.market import Running, running_market


@pytest.fixture(scope="session")
def _server() -> Iterator[Running]:
    with running_market() as server:
        yield server


@pytest.fixture
def server(_server: Running) -> Running:
    """A market that does nothing wrong yet, with a virtual clock."""
    _server.reset()
    return _server


@pytest.fixture
def clock(server: Running, tmp_path: Path) -> Virtual:
    """Its clock."""
    return Virtual(server, tmp_path / "clock")

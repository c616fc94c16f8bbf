"""One fork server for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from synthcity.authored.locked.forks import ForkServer


@pytest.fixture(scope="session")
def server() -> Iterator[ForkServer]:
    """A server whose children do whatever they are told."""
    with ForkServer("tests.authored.locked.hostile") as found:
        yield found

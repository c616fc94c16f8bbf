"""Searches that are asked for and never held, and a market to rent from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from synthcity.search import run as module
from tests.cli.test_handpicked import FINISHED
from tests.cli.test_search import REPORT
from tests.standins.market import Running, running_market


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[dict[str, Any]]:
    seen: list[dict[str, Any]] = []

    def search(config: Any, **options: Any) -> Any:
        seen.append({"config": config, **options})
        report = {**REPORT, **FINISHED, "validation_baselines": {"ewma": 4270.0, "fhs": 4250.0}}
        return SimpleNamespace(
            report=report, folder=tmp_path, winner=tmp_path / "winner", page=tmp_path / "r.html", vault=None
        )

    monkeypatch.setattr(module, "search", search)
    return seen


@pytest.fixture(scope="module")
def _server() -> Iterator[Running]:
    with running_market() as server:
        yield server


@pytest.fixture
def server(_server: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Running:
    """A market by the real clock, and an environment that leads to it."""
    _server.reset()
    _server.set(virtual=None)
    monkeypatch.chdir(tmp_path)
    for name, value in _server.environment.items():
        monkeypatch.setenv(name, value)
    return _server

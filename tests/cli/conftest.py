"""Searches that are asked for and never held."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from synthcity.search import run as module
from tests.cli.test_handpicked import FINISHED
from tests.cli.test_search import REPORT


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

"""The sink of Weights & Biases, with the library's own calls recorded."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

RUN: Any = {"what": "run", "project": "p", "name": "n", "id": "i", "folder": "/runs/n", "config": {"a": 1}}


@pytest.fixture
def modes(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    import wandb

    seen: list[dict[str, Any]] = []

    def init(**options: Any) -> Any:
        seen.append(options)
        if options["mode"] == "online":
            raise wandb.errors.CommError("no answer")
        return SimpleNamespace(
            url=None, dir="/runs/n/wandb/offline-1/files", summary={}, finish=lambda: seen.append({"finished": True})
        )

    monkeypatch.setattr(wandb, "init", init)
    monkeypatch.delenv("WANDB_MODE", raising=False)
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    return seen


@pytest.mark.slow
def test_without_a_key_it_is_offline_and_with_one_that_nobody_answers_too(
    modes: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    from synthcity.search.tracking.sinks.wandb import WandbSink

    notes: list[str] = []
    sink = WandbSink(RUN, notes.append)
    assert [each["mode"] for each in modes] == ["offline"]
    assert sink.end({"x": 1}, None) == str(Path("/runs/n/wandb/offline-1"))
    monkeypatch.setenv("WANDB_API_KEY", "k" * 40)
    WandbSink(RUN, notes.append)
    assert [each.get("mode") for each in modes] == ["offline", None, "online", "offline"]
    assert modes[2]["settings"].init_timeout == 10.0
    assert notes == ["W&B did not open the run (CommError); it is kept offline, and `wandb sync` sends it later"]

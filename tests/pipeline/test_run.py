from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from synthcity.errors import ConfigError, RunError
from synthcity.pipeline import run as module
from synthcity.pipeline.config import load_pipeline
from synthcity.pipeline.run import run_pipeline
from synthcity.settings import Settings

CONFIGS = Path(__file__).parents[2] / "configs"


@pytest.fixture
def loops(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    seen: list[Any] = []

    def loop(folder: Path, config: object, work: Any, *, resume: bool, tell: Any) -> None:
        tell("round 1")
        seen.append(work.opened())

    monkeypatch.setattr(module, "run_loop", loop)
    return seen


def test_prices_say_which_world_it_is(loops: list[Any], tmp_path: Path) -> None:
    told: list[str] = []
    settings = [f"folder={tmp_path}", f"deploy={tmp_path / 'miner'}"]
    run_pipeline(load_pipeline(CONFIGS / "quickstart-pipeline.yaml", settings), tell=told.append)
    run_pipeline(load_pipeline(CONFIGS / "pipeline.yaml", [f"folder={tmp_path}"]), tell=told.append)
    assert [one.world for one in loops] == ["REHEARSAL", ""]
    assert told == ["REHEARSAL round 1", "round 1"]


@pytest.mark.parametrize(
    ("settings", "address", "planner"),
    [
        (["budget_usd=5"], "http://127.0.0.1:9/v1", "Agent"),
        (["budget_usd=null"], "http://127.0.0.1:9/v1", "Agent"),
        (["budget_usd=0"], "http://127.0.0.1:9/v1", "function"),
        (["budget_usd=5"], "", "function"),
    ],
)
def test_an_agent_plans_where_there_may_be_a_model_and_money(
    settings: list[str], address: str, planner: str, tmp_path: Path
) -> None:
    opening = load_pipeline(CONFIGS / "pipeline.yaml", [f"folder={tmp_path}", *settings])
    environ = {"SYNTHCITY_LLM_BASE_URL": address} if address else {}
    with module._planner(opening, Settings.load(environ, tmp_path / "none")) as found:
        assert type(found).__name__ == planner


def test_what_would_fail_later_is_told_before_anything_is_started(loops: list[Any], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="name another folder"):
        run_pipeline(load_pipeline(CONFIGS / "pipeline.yaml", [f"folder={tmp_path / 'file'}"]))
    with pytest.raises(ConfigError, match="deploy: none is no folder"):
        run_pipeline(load_pipeline(CONFIGS / "pipeline.yaml", [f"folder={tmp_path}", "deploy=none"]))
    assert loops == []

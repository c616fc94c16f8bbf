from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from synthcity.errors import ConfigError, RunError
from synthcity.forecast.bundles.suitability import refuse_simulated
from synthcity.pipeline import run as module
from synthcity.pipeline.config import load_pipeline
from synthcity.pipeline.run import run_pipeline
from synthcity.publish.standin.shelf import Shelf
from synthcity.search import run as searching
from synthcity.search.report.saving import read_report
from synthcity.serve.settlement.succession import Succession
from synthcity.settings import Settings
from tests.publish.proven import make_run

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


def test_a_file_that_names_a_cluster_does_not_search_here_unawares(
    loops: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    opening = load_pipeline(CONFIGS / "pipeline.yaml", [f"folder={tmp_path / 'loop'}", "cluster=far"])
    with pytest.raises(RunError, match="within cluster"):
        run_pipeline(opening)
    monkeypatch.setenv("RAY_ADDRESS", "127.0.1.1:7006")
    run_pipeline(opening)
    assert len(loops) == 1


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


@pytest.mark.slow
def test_a_rehearsed_round_ends_at_the_stand_ins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Gate, publication, offer and the rehearsed miner are the real code; the search is played by a proven run."""

    def search(config: Any, **_: object) -> Any:
        run = make_run(Path(config.output) / config.name, venue="simulated")
        return SimpleNamespace(report=read_report(run))

    monkeypatch.setattr(searching, "search", search)
    (tmp_path / "sweep.yaml").write_text(
        "competition: crypto-1h\ndata: {source: simulated, assets: [BTC], periods: last 1 years, "
        "simulated: {start: '2025-01-01', days: 200}}\n"
    )
    miner, folder = tmp_path / "miner", tmp_path / "loop"
    path = tmp_path / "pipeline.yaml"
    path.write_text(f"sweeps: [sweep.yaml]\nfolder: {folder}\ndeploy: {miner}\npublish: true\nbudget_usd: 0\n")
    told: list[str] = []
    state = run_pipeline(load_pipeline(path), tell=told.append)
    [one] = state.rounds
    assert one.ended is not None
    assert (one.ended.outcome, one.ended.reason) == ("proven", "published and deployed"), told
    assert all(line.startswith("REHEARSAL ") for line in told)
    assert one.published is not None
    assert one.published.where.startswith("file://")
    assert Shelf(folder=folder / "hub").head().commit == one.published.commit
    succession = Succession.read(miner)
    assert one.deployed is not None
    assert succession is not None
    assert (succession.champion, succession.challenger) == ("fhs", one.deployed.folder), "in the shadow, no further"
    assert run_pipeline(load_pipeline(path), resume=True).rounds == state.rounds
    with pytest.raises(ConfigError, match="SIMULATED prices"):
        refuse_simulated(one.deployed.folder)

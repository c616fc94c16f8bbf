"""The planner proposes; the gate says what of it may be."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from synthcity.agents.client import LLMClient
from synthcity.agents.standin.process import RunningStandIn
from synthcity.errors import ConfigError
from synthcity.market.periods import Periods
from synthcity.nets.authored.code import AuthoredCode, forget
from synthcity.nets.authored.examples import BLOCK
from synthcity.search.config import SearchConfig
from synthcity.search.journal.folder import JOURNAL, write_resolved
from synthcity.search.roles import find_role
from synthcity.search.roles.context import RoleContext
from synthcity.search.roles.planner import list_past_runs
from synthcity.search.roles.role import CHAT, Outcome, work
from synthcity.settings import Secret, Settings
from synthcity.vault.folder import FolderVault
from synthcity.vault.pushing import push_run
from tests.history.builders import report, write_run
from tests.search.builders import candidate, tell
from tests.search.roles.conftest import KEY, NET, Work, proposal, results, says
from tests.vault.builders import BEGUN
from tests.vault.builders import write_run as pushed_run


def test_the_planner_proposes_and_the_gate_judges_what_it_gave(
    let_work: Work, server: RunningStandIn, tmp_path: Path
) -> None:
    known = tell(candidate(0), 5500.0)
    again = known[0]["config"]
    outcome = let_work(
        "planner",
        [says("check_candidate", config=NET), says("finish", proposals=[proposal(NET), proposal(again)])],
        known,
    )
    assert outcome.agent.finished
    assert results(outcome) == ["admitted", "done"]
    assert outcome.measured == (
        "proposal 1: admitted",
        "proposal 2: refused (duplicate): the same network as c0000",
    )
    saved = json.loads((tmp_path / CHAT).read_text())
    assert saved["status"] == "finished"
    assert saved["measured"] == list(outcome.measured)
    assert (tmp_path / "llm.jsonl").is_file()
    first = server.questions()[0]
    assert "c0000" in first["messages"][0]["content"]
    assert {t["function"]["name"] for t in first["tools"]} == {
        "check_candidate",
        "list_components",
        "list_past_runs",
        "read_result",
        "finish",
    }


def test_past_runs_are_told_but_for_those_that_know_the_test_period(tmp_path: Path, config: SearchConfig) -> None:
    known = replace(config, output=str(tmp_path))
    told = report(periods={"test": ["2020-01-01", "2020-02-01"]})
    told["run"] |= {"competition": config.competition, "is_simulated": config.data.source == "simulated"}
    write_run(tmp_path / "before", told)
    late = report(periods={"test": ["2020-01-01", "2099-01-01"]})
    late["run"] |= told["run"]
    write_run(tmp_path / "late", late)
    first, rest = list_past_runs(RoleContext(known, []))
    assert first.startswith("before: 3 trials, mix was frozen, −0.60 % against fhs")
    assert rest.startswith("(1 more know prices")


def test_runs_of_the_vault_are_told_too_and_each_once(tmp_path: Path, config: SearchConfig) -> None:
    vault = FolderVault(tmp_path / "vault")
    for name, at in (("theirs", BEGUN), ("ours", BEGUN + 9)):
        push_run(vault, pushed_run(tmp_path / "elsewhere" / name, at=at))
    told = report()
    told["run"] |= {"name": "ours", "started": BEGUN + 9, "competition": config.competition}
    told["periods"] = {"test": ["2025-07-01", "2025-08-15"]}
    write_run(tmp_path / "runs" / "ours", told)
    days = {"train": ["2025-08-15", "2025-10-01"], "validation": ["2025-10-01", "2025-11-01"]}
    later = Periods.parse({**days, "test": ["2025-11-01", "2025-12-01"]})
    data = replace(config.data, source="store", path="store", periods=later)
    here = replace(config, output=str(tmp_path / "runs"), data=data, vault=str(vault.folder))
    ours, theirs = list_past_runs(RoleContext(here, []))
    assert ours.startswith("ours: 3 trials, mix was frozen, ")
    assert "2 trials, mix-3 was frozen, " in theirs
    (tmp_path / "file").touch()
    [only, why] = list_past_runs(RoleContext(replace(here, vault=str(tmp_path / "file" / "vault")), []))
    assert only == ours
    assert why.startswith("(those of the vault are not told: the vault ")


def test_a_run_with_written_components_is_planned_on_only_where_their_code_is_trusted(
    server: RunningStandIn, tmp_path: Path, config: SearchConfig, data: Any
) -> None:
    code, run = AuthoredCode.of(BLOCK), tmp_path / "run"
    (run / "authored").mkdir(parents=True)
    (run / "authored" / "gated_average.py").write_text(BLOCK)
    write_resolved(run, config)
    written = {"component": "block", "name": code.name, "sha256": code.sha256, "file": "authored/gated_average.py"}
    trained = {"blocks": [{"name": code.name, "kernel": 5, "dropout": 0.1}], "head": {"name": "gbm"}}
    events = [{"kind": "authored", "time": 1.0, **written}, *tell(replace(candidate(0), config=trained), 5500.0)]
    (run / JOURNAL).write_text("".join(json.dumps(event) + "\n" for event in events))

    def plan(context: RoleContext) -> Outcome:
        server.script([says("finish", proposals=[proposal(NET)])])
        context.__dict__["data"] = data
        with LLMClient(Settings(llm_base_url=server.url, llm_api_key=Secret(KEY)), folder=tmp_path) as client:
            return work(find_role("planner"), context, client, tmp_path)

    with pytest.raises(ConfigError, match="wrote the block gated_average for this run; add --trust-code"):
        plan(RoleContext.of_run(run))
    try:
        assert plan(RoleContext.of_run(run, trust_code=True)).measured == ("proposal 1: admitted",)
        assert "- gated_average" in server.questions()[0]["messages"][0]["content"]
    finally:
        forget(code)

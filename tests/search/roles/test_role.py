"""Roles at work against a scripted model: what they may call, what they give, and what the program says of that."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from synthcity.agents.client import LLMClient
from synthcity.agents.standin.process import RunningStandIn, running_standin
from synthcity.errors import ConfigError, RunError
from synthcity.nets.authored.code import AuthoredCode, forget
from synthcity.nets.authored.examples import BLOCK
from synthcity.search.config import SearchConfig, parse_config
from synthcity.search.journal.folder import JOURNAL, write_resolved
from synthcity.search.roles import ROLES, find_role
from synthcity.search.roles.context import RoleContext
from synthcity.search.roles.role import CHAT, Outcome, work
from synthcity.settings import Secret, Settings
from tests.search.builders import candidate, tell
from tests.search.roles.test_authoring import Reader

KEY = f"cpk_{'0a' * 16}.{'1b' * 16}.{'Zz' * 16}"
NET = {"blocks": [{"name": "gru"}], "head": {"name": "gbm"}, "d_model": 16, "history": 24}
SWEEP = {
    "competition": "crypto-24h",
    "data": {
        "source": "simulated",
        "assets": ["BTC"],
        "periods": {
            "train": ["2025-02-15", "2025-03-10"],
            "validation": ["2025-03-10", "2025-03-20"],
            "test": ["2025-03-20", "2025-04-01"],
        },
        "validation_every": "2d",
        "simulated": {"days": 100},
    },
}
VERDICT = {
    "kind": "verdict",
    "time": 9.0,
    "sentence": "Not proven: the baseline fhs wins.",
    "proven": False,
    "proven_against": {"fhs": False},
    "winner": "fhs",
    "winner_is_baseline": True,
    "challenger": None,
    "best_baseline": "fhs",
}

Work = Callable[..., Outcome]


@pytest.fixture(scope="module")
def server() -> Iterator[RunningStandIn]:
    with running_standin() as running:
        yield running


@pytest.fixture(scope="module")
def config() -> SearchConfig:
    return parse_config(SWEEP)


@pytest.fixture(scope="module")
def data(config: SearchConfig) -> Any:
    return RoleContext(config, []).data


@pytest.fixture
def let_work(server: RunningStandIn, tmp_path: Path, config: SearchConfig, data: Any) -> Work:
    def run(
        name: str, answers: list[Any], events: list[dict[str, Any]] | None = None, trial: str | None = None
    ) -> Outcome:
        server.script(answers)
        context = RoleContext(config, list(events or []), trial)
        context.__dict__["data"] = data  # one simulated market for all tests
        with LLMClient(Settings(llm_base_url=server.url, llm_api_key=Secret(KEY)), folder=tmp_path) as client:
            return work(find_role(name), context, client, tmp_path)

    return run


def says(name: str, **arguments: Any) -> dict[str, Any]:
    return {"tool_calls": [{"name": name, "arguments": arguments}]}


def results(outcome: Outcome) -> list[str]:
    return [message["content"] for message in outcome.agent.messages if message["role"] == "tool"]


def proposal(config: dict[str, Any]) -> dict[str, Any]:
    fields = {"parent": None, "category": "block", "rationale": "try it", "predicted_score": 5300.0}
    return {**fields, "config": config}


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
        "read_result",
        "finish",
    }


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


def test_the_trainer_trains_and_the_record_is_the_result(let_work: Work) -> None:
    outcome = let_work(
        "trainer",
        [
            says("list_components"),
            says("train_candidate", config=NET, steps=2),
            says("train_candidate", config={"blocks": [{"name": "grru"}], "head": {"name": "gbm"}}),
            says("train_candidate", config=NET, steps=100_000),
            says("read_result", trial="c0000"),
            says("finish", summary="a score of 1.0, better than anything"),
        ],
    )
    components, trained, unknown, greedy, read, _ = results(outcome)
    assert "- gru:" in components
    record = json.loads(trained)
    assert record == json.loads(read)
    assert record["status"] == "completed"
    assert "did you mean 'gru'" in unknown
    assert "200" in greedy
    assert outcome.measured == (f"c0000 gru>gbm: {record['score']:.1f} bp, {record['seconds']:.0f} s",)


def test_a_model_never_overrules_the_verdict(let_work: Work) -> None:
    events = [*tell(candidate(0), 5500.0), VERDICT]
    outcome = let_work(
        "checker",
        [says("list_trials"), says("read_verdict"), says("finish", verdict="proven", explanation="it shines")],
        events,
    )
    assert json.loads(results(outcome)[0])[0]["id"] == "c0000"
    assert outcome.measured == (
        "not proven: Not proven: the baseline fhs wins.",
        "the model said 'proven'; what was measured holds",
    )


def diverged() -> list[dict[str, Any]]:
    """A run of three trials, of which the first two failed alike."""
    failure = {
        "class": "RuntimeError",
        "message": "the training loss became nan between steps 0 and 9",
        "traceback": "",
    }
    ended = [tell(candidate(number), status="failed") for number in (0, 1)]
    for events in ended:
        events[-1]["failure"] = failure
    return [*ended[0], *ended[1], *tell(candidate(2), 5500.0)]


def test_the_debugger_mends_a_trial_and_the_gate_says_whether_it_would_be_taken(
    let_work: Work, server: RunningStandIn
) -> None:
    slower = [{"path": "training.learning_rate", "value": 0.0003}]
    answer = says("finish", cause="steps too large", evidence="became nan", changes=slower)
    outcome = let_work("debugger", [says("try_patch", changes=slower), answer], diverged(), trial="c0000")
    assert results(outcome) == ["the gate would take it", "done"]
    catalogue, patch = outcome.measured
    assert catalogue.startswith("c0000: the catalogue says nan: ")
    assert patch.startswith("the patch training.learning_rate ")
    assert patch.endswith(": admitted")
    asked = server.questions()[0]
    assert "became nan between steps 0 and 9" in asked["messages"][0]["content"]
    assert {t["function"]["name"] for t in asked["tools"]} == {
        "read_component",
        "similar_trials",
        "try_patch",
        "finish",
    }


def test_the_debugger_takes_the_newest_failure_and_a_patch_may_be_none_or_refused(let_work: Work) -> None:
    found = {"cause": "bad luck", "evidence": "nan"}
    outcome = let_work("debugger", [says("finish", **found, changes=[])], diverged())
    assert outcome.measured[0].startswith("c0001: ")
    assert outcome.measured[1] == "no patch"
    outcome = let_work("debugger", [says("finish", **found, changes=[{"path": "search.seed", "value": 3}])], diverged())
    assert outcome.measured[1].startswith("the patch is refused: ")


def test_what_did_not_fail_is_not_debugged(let_work: Work) -> None:
    with pytest.raises(ConfigError, match="--trial c0002 is completed; failed are c0000, c0001"):
        let_work("debugger", [], diverged(), trial="c0002")
    with pytest.raises(ConfigError, match="--trial c0009 is unknown; failed are"):
        let_work("debugger", [], diverged(), trial="c0009")
    with pytest.raises(ConfigError, match="no trial of this run failed, so there is nothing to debug"):
        let_work("debugger", [], tell(candidate(0), 5500.0))


def test_the_author_writes_a_component_into_its_folder(
    let_work: Work, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synthcity.search.roles.author.Sandbox", Reader)
    monkeypatch.setattr("synthcity.search.roles.author.check_isolation", lambda: None)
    earlier = {"kind": "authored", "time": 0.0, "component": "head", "name": "older", "file": "authored/older.py"}
    try:
        outcome = let_work(
            "author",
            [
                says("try_component", source="import os"),
                says("try_component", source=BLOCK),
                says("finish", summary="one"),
            ],
            [earlier],
        )
    finally:
        forget(AuthoredCode.of(BLOCK))
    refused, admitted = outcome.measured
    assert refused.startswith("authored/refused-")
    assert ".txt: refused (static): " in refused
    assert admitted == "authored/gated_average.py: the block gated_average is admitted"
    assert (tmp_path / "authored/gated_average.py").read_text() == BLOCK
    assert let_work("author", [says("finish", summary="nothing")]).measured == (
        "nothing was tried, so nothing is admitted",
    )


def test_talking_is_no_result(let_work: Work, tmp_path: Path) -> None:
    outcome = let_work("planner", ["plain"] * 3)
    assert outcome.agent.status == "gave_up"
    assert outcome.measured == ()
    assert json.loads((tmp_path / CHAT).read_text())["result"] is None


@pytest.mark.parametrize("name", sorted(ROLES))
def test_every_role_is_what_its_name_says(name: str) -> None:
    assert find_role(name).name == name


def test_an_unknown_role_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match="unknown agent 'planer'; did you mean 'planner'"):
        find_role("planer")


def test_a_run_folder_is_read_while_it_grows_and_refused_when_damaged(tmp_path: Path, config: SearchConfig) -> None:
    with pytest.raises(RunError, match=r"there is no run in .*: it has no journal\.jsonl"):
        RoleContext.of_run(tmp_path)
    write_resolved(tmp_path, config)
    lines = [json.dumps(event) for event in tell(candidate(0), 5500.0)]
    (tmp_path / JOURNAL).write_text("\n".join(lines) + '\n{"kind": "torn')
    assert RoleContext.of_run(tmp_path).history.scored[0].score == 5500.0
    (tmp_path / JOURNAL).write_text('{"kind": "rung"}\n')
    with pytest.raises(RunError, match="tells nonsense at line 1: time of the event 'rung' is missing"):
        RoleContext.of_run(tmp_path)
    (tmp_path / "resolved.yaml").write_text(yaml.safe_dump([1]))
    with pytest.raises((RunError, ConfigError)):
        RoleContext.of_run(tmp_path)

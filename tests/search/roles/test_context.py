"""What a role works with: a run as it is, and what is done in it besides."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from synthcity.errors import ConfigError, DataError, RunError
from synthcity.search.config import SearchConfig
from synthcity.search.journal.folder import JOURNAL, write_resolved
from synthcity.search.roles.context import RoleContext
from tests.search.builders import candidate, tell
from tests.search.roles.conftest import NET


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


def test_what_is_done_here_stays_here_and_is_told_apart(config: SearchConfig) -> None:
    events: list[Any] = [*tell(candidate(0), 5500.0)]
    context = RoleContext(config, events)
    assert context.own == []
    context.tell("candidate", **candidate(1).to_dict())
    assert [event["kind"] for event in context.own] == ["candidate"]
    assert list(context.history.trials) == ["c0000", "c0001"]
    assert context.result("c0000")["score"] == 5500.0


def test_what_nobody_could_tell_is_refused(config: SearchConfig) -> None:
    with pytest.raises(DataError, match="no event is of the kind 'candidat'"):
        RoleContext(config, []).tell("candidat")


def test_an_unknown_trial_names_those_there_are(config: SearchConfig) -> None:
    with pytest.raises(ValueError, match=r"there is no trial 'c0009'; there are c0000$"):
        RoleContext(config, [*tell(candidate(0), 5500.0)]).result("c0009")
    with pytest.raises(ValueError, match="there are none"):
        RoleContext(config, []).result("c0000")


def test_a_gate_refuses_in_one_line_and_admits_in_a_word(config: SearchConfig, data: Any) -> None:
    context = RoleContext(config, [*tell(candidate(0), 5500.0)])
    context.__dict__["data"] = data
    assert context.judge(NET) == "admitted"
    assert context.judge(candidate(0).config) == "refused (duplicate): the same network as c0000"
    assert context.judge({"head": {"name": "gmb"}}).startswith("refused (config): ")


def test_rules_are_those_of_the_competition(config: SearchConfig, data: Any) -> None:
    context = RoleContext(config, [])
    context.__dict__["data"] = data
    assert context.task() == "Competition crypto-24h: paths of BTC, judged by their CRPS."
    assert "paths of 289 prices, one every 300 seconds over 24 hours" in context.rules()
    assert "lower is better" in context.rules()

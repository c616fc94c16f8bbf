from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from synthcity.cli.main import cli
from synthcity.errors import ConfigError, RunError
from tests.publish.hostile import HOSTILE
from tests.publish.proven import copy_run

CANARY = "hf_" + "planted" * 5


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_TOKEN", CANARY)
    monkeypatch.setenv("HF_REPO_ID", "me/models")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    return copy_run(tmp_path / "run")


def call(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["publish", *arguments])


def test_a_dry_run_shows_gate_card_and_files_and_sends_nothing(run: Path) -> None:
    before = (run / "journal.jsonl").read_bytes()
    shown = call(str(run), "--dry-run")
    assert shown.exit_code == 0, shown.output
    assert "scored again    passed" in shown.stdout
    assert "## Leads on the test period" in shown.stdout
    assert "/bundle/members/0/config.json" in shown.stdout
    assert shown.stdout.splitlines()[-1] == "nothing was sent"
    assert CANARY not in shown.output
    assert (run / "journal.jsonl").read_bytes() == before


def test_what_may_not_leave_is_told_with_its_reason(run: Path) -> None:
    HOSTILE["edited figures"][0](run)
    shown = call(str(run), "--dry-run", "--json")
    told = json.loads(shown.stdout)
    assert told["publishable"] is False
    assert told["findings"][-1]["check"] == "sealed"
    assert isinstance(shown.exception, RunError)
    assert str(shown.exception).startswith("not published: ")
    assert shown.exception.exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--to", "hubb"), "unknown destination 'hubb'; did you mean 'hub'"),
        (("--to", "hippius"), "HIPPIUS_BUCKET"),
    ],
)
def test_a_wrong_destination_is_one_sentence(arguments: tuple[str, ...], said: str, run: Path) -> None:
    found = call(str(run), *arguments).exception
    assert isinstance(found, ConfigError)
    assert said in str(found)


def test_there_is_no_force(run: Path) -> None:
    assert call(str(run), "--force").exit_code == 2

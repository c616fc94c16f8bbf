"""`synthcity client`: actions that are made of the registry, against a bridge that runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from synthcity.bridge.operation import Refused
from synthcity.bridge.registry import operations
from synthcity.errors import ConfigError
from tests.bridge.conftest import Running, bridge, launched, made
from tests.bridge.jobs.builders import Launched
from tests.cli.test_handpicked import invoke

__all__ = ["bridge", "launched", "made"]


@pytest.fixture(autouse=True)
def environment(bridge: Running, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SYNTH_BRIDGE_URL", bridge.url)
    monkeypatch.setenv("BRIDGE_API_KEY", bridge.key)


def test_every_operation_is_an_action() -> None:
    told = invoke("client", "--help").output
    for name, operation in operations().items():
        assert f"  {name.replace('_', '-')} " in told
        assert operation.about.split()[0] in told


def test_json_is_json_and_nothing_else_is_printed(bridge: Running) -> None:
    done = invoke("client", "history", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.output)["runs"][0]["id"] == "sweep"
    assert done.stderr == ""


def test_people_get_lines_and_a_table(bridge: Running) -> None:
    told = invoke("client", "history").output
    assert "total     2\n" in told
    assert "sweep" in told


@pytest.mark.parametrize(
    ("arguments", "error", "sentence", "code"),
    [
        (("history", "--limit", "0"), ConfigError, "limit must be greater than or equal to 1, got 0", 2),
        (("history", "--limit", "many"), ConfigError, "limit must be a valid integer, got 'many'", 2),
        (("show", "none"), Refused, "there is no run 'none'", 3),
    ],
)
def test_mistakes_are_a_sentence_with_an_exit_code(
    bridge: Running, arguments: tuple[str, ...], error: type, sentence: str, code: int
) -> None:
    done = invoke("client", *arguments)
    assert isinstance(done.exception, error)
    assert sentence in str(done.exception)
    assert done.exception.exit_code == code


def test_an_unknown_action_names_the_nearest() -> None:
    done = invoke("client", "hisory")
    assert (done.exit_code, "did you mean 'history'" in done.output) == (2, True)


@pytest.mark.parametrize(("code", "state"), [(0, "completed"), (2, "failed")])
def test_waiting_ends_with_the_job_and_its_exit_code(
    bridge: Running, launched: Launched, monkeypatch: pytest.MonkeyPatch, code: int, state: str
) -> None:
    def end(_: float) -> None:
        (id,) = launched.locks
        (bridge.place.jobs / id / "ended.json").write_text(f'{{"code": {code}}}')
        launched.end(id)

    monkeypatch.setattr("synthcity.cli.client.time.sleep", end)
    monkeypatch.setenv("SYNTH_BOT_ID", "waiting")
    done = invoke("client", "quick", "--blocks", "lstm,tcn", "--wait", "--json")
    assert done.exit_code == code, done.output
    told = json.loads(done.output)
    assert (told["state"], told["exit_code"]) == (state, code)
    assert "--blocks lstm,tcn" in told["command"]

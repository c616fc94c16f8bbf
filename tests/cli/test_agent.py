from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from synthcity.agents.standin.process import RunningStandIn, running_standin
from synthcity.cli import main as module
from synthcity.search.config import parse_config
from synthcity.search.journal.folder import JOURNAL, write_resolved
from tests.search.builders import candidate, tell
from tests.search.roles.conftest import KEY, SWEEP, VERDICT, says


@pytest.fixture(scope="module")
def server() -> Iterator[RunningStandIn]:
    with running_standin() as running:
        yield running


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("CHUTES_API_KEY", "SYNTHCITY_LLM_API_KEY", "SYNTHCITY_LLM_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    folder = Path("runs/done")
    folder.mkdir(parents=True)
    write_resolved(folder, parse_config(SWEEP))
    events = [*tell(candidate(0), 5500.0), VERDICT]
    (folder / JOURNAL).write_text("".join(json.dumps(event) + "\n" for event in events))


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["synthcity", "agent", *arguments])
    with pytest.raises(SystemExit) as caught:
        module.main()
    assert isinstance(caught.value.code, int)
    return caught.value.code


def test_shows_the_chat_and_the_program_has_the_last_word(
    server: RunningStandIn, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SYNTHCITY_LLM_API_KEY", KEY)
    server.script([says("read_verdict"), says("finish", verdict="proven", explanation="it shines")])
    assert run(monkeypatch, "--name", "checker", "--run", "runs/done", "--base-url", server.url) == 0
    said = capsys.readouterr().out
    assert "[assistant] read_verdict({})" in said
    assert "it shines" in said
    assert said.index("it shines") < said.index("not proven: Not proven: the baseline fhs wins.")
    assert "the model said 'proven'; what was measured holds" in said
    assert Path("runs/agent-checker/chat.json").is_file()
    assert KEY not in Path("runs/agent-checker/llm.jsonl").read_text()


def test_what_a_publisher_says_it_did_stands_beside_what_the_journals_say(
    server: RunningStandIn, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in (
        ("HF_TOKEN", "hf_0123456789"),
        ("HF_REPO_ID", "me/models"),
        ("HF_ENDPOINT", "http://127.0.0.1:9"),
    ):
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SYNTHCITY_LLM_API_KEY", KEY)
    Path("runs/torn").mkdir()
    Path("runs/torn", JOURNAL).write_text("{}\n")
    server.script([says("list_runs"), says("publish_run", run="done"), says("finish", summary="I published it")])
    assert run(monkeypatch, "--name", "publisher", "--run", "runs/done", "--base-url", server.url) == 0
    said = capsys.readouterr().out
    assert "not published: the run in " in said
    chat, _, program = said.partition("What the program says:")
    assert "I published it" in chat
    assert program.split("\n")[1] == "  nothing is published"
    assert "torn: damaged: " in program


def test_an_agent_that_only_talks_is_no_success(
    server: RunningStandIn, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SYNTHCITY_LLM_API_KEY", KEY)
    server.script(["plain"] * 3)
    assert run(monkeypatch, "--name", "checker", "--run", "runs/done", "--base-url", server.url) == 3
    assert "error: the checker did not finish (gave_up): it answered 3 times in a row" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (
            ["--name", "checker", "--run", "runs/done"],
            3,
            "set CHUTES_API_KEY, or SYNTHCITY_LLM_BASE_URL to a server",
        ),
        (["--name", "cheker", "--run", "runs/done"], 2, "unknown agent 'cheker'; did you mean 'checker'?"),
        (["--name", "checker", "--run", "runs/none"], 2, "there is no run in 'runs/none'"),
        (["--name", "debugger", "--config", "sweep.yaml"], 2, "a debugger looks at a trial that failed; name its run"),
        (
            ["--name", "debugger", "--run", "runs/done", "--base-url", "http://127.0.0.1:9"],
            2,
            "no trial of this run failed",
        ),
        (
            ["--name", "checker", "--run", "runs/done", "--trial", "c0000"],
            2,
            "--trial is for the debugger, not for the checker",
        ),
        (["--name", "checker"], 2, "name either a run with --run or a sweep file with --config"),
        (["--name", "checker", "--run", "runs/done", "--base-url", "nowhere"], 2, "is no http or https URL: 'nowhere'"),
    ],
)
def test_what_is_missing_is_one_sentence(
    arguments: list[str],
    code: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(monkeypatch, *arguments) == code
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert not list(Path("runs").glob("agent-*"))

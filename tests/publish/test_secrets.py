"""A key planted in every secret is looked for in all that publishing writes, sends and prints, through its faults."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest
from click.testing import CliRunner

from synthcity.cli.main import cli
from synthcity.settings import Secret, Settings
from tests.publish.conftest import REPO
from tests.standins.hub import TOKEN, RunningHub


def secrets() -> dict[str, str]:
    """Every variable that holds a secret, with a key of its own; the Hub's is the one that the stand-in takes."""
    settings = Settings.load({})
    held = [one for one in fields(settings) if isinstance(getattr(settings, one.name), Secret)]
    names = [name for one in held for name in one.metadata["names"] or (f"SYNTHCITY_{one.name.upper()}",)]
    assert len(names) >= 7
    return {name: f"https-canary{number}-canary" for number, name in enumerate(names)} | {"HF_TOKEN": TOKEN}


@pytest.mark.slow
def test_no_key_is_left_anywhere(
    proven: Path, hub: RunningHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted = secrets()
    for name, value in {**planted, "HF_REPO_ID": REPO, "HF_ENDPOINT": hub.url}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    printed: list[str] = []

    def invoke(*words: str) -> int:
        found = CliRunner().invoke(cli, list(words))
        printed.append(found.output)
        error = found.exception
        while error is not None:
            printed.extend((repr(error), repr(vars(error))))
            error = error.__cause__ or error.__context__
        return found.exit_code

    assert invoke("publish", str(proven), "--dry-run") == 0
    for status in ("401", "403"):
        hub.faults({"on": "POST .*/commit/main", "what": status})
        assert invoke("publish", str(proven)) != 0
    assert invoke("publish", str(proven), "--json") == 0
    assert invoke("history", "hub") == 0
    assert invoke("pull", REPO, "--to", str(tmp_path / "again")) == 0
    left = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert len(left) > 10_000
    for name, value in planted.items():
        assert value.encode() not in left, name
        assert value not in "".join(printed), name
        assert not hub.has_seen(value), name

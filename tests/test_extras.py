"""A package that is missing is told with the extra that brings it, by every command alike."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from synthcity.cli import main as entry
from synthcity.errors import ConfigError
from synthcity.extras import extra_of, need


@pytest.mark.parametrize(
    ("module", "extra"),
    [
        ("bittensor_wallet", "serve"),
        ("huggingface_hub.utils", "publish"),
        ("bittensor", "mine"),
        ("boto3", "vault"),
        ("torch", None),
        ("synthcity.no_such", None),
        (None, None),
    ],
)
def test_the_extra_that_brings_a_package(module: str | None, extra: str | None) -> None:
    assert extra_of(module) == extra


def test_what_is_missing_is_said_before_anything_begins() -> None:
    need("a cluster", "cluster", "json")
    with pytest.raises(ConfigError, match=r"a cluster needs no_such_package; pip install 'synth-city\[cluster\]'"):
        need("a cluster", "cluster", "json", "no_such_package")


def test_a_command_whose_package_is_missing_ends_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "bittensor_wallet", None)
    monkeypatch.delitem(sys.modules, "synthcity.serve.rehearsal.rehearse", raising=False)
    monkeypatch.setattr(sys, "argv", ["synthcity", "mine", "rehearse"])
    with pytest.raises(SystemExit) as ended:
        entry.main()
    out, err = capsys.readouterr()
    assert (ended.value.code, out) == (2, "")
    assert err.startswith("error: this command needs bittensor_wallet; pip install 'synth-city[serve]'")
    assert len(err.splitlines()) == 1


def test_a_package_that_no_extra_brings_is_a_fault_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**_: object) -> None:
        raise ModuleNotFoundError("No module named 'synthcity.gone'", name="synthcity.gone")

    monkeypatch.setattr(entry, "cli", broken)
    with pytest.raises(ModuleNotFoundError):
        entry.main()


BARE = """
import sys
for name in ("bittensor_wallet", "boto3", "fastapi", "huggingface_hub", "mcp", "openai", "orjson", "prometheus_client",
             "starlette", "trackio", "uvicorn", "wandb"):
    sys.modules[name] = None
from synthcity.cli.main import main
main()
"""


def test_a_machine_is_looked_at_with_what_the_first_install_brings(tmp_path: Path) -> None:
    command = [sys.executable, "-c", BARE, "doctor", "--offline", "--json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.stderr == ""
    assert {"versions", "torch", "keys"} <= {check["name"] for check in json.loads(done.stdout)}

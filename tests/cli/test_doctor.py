"""What ``synthcity doctor`` tells of a machine, and what it never tells."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from synthcity.cli import doctor
from synthcity.cli.main import cli
from synthcity.errors import ConfigError


def told(*words: str) -> Result:
    return CliRunner().invoke(cli, ["doctor", *words])


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_concern_has_its_line_and_a_key_is_named_but_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_abcdefghij")
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    found = told("--offline", "--json")
    assert found.exit_code == 0, found.output
    checks = {check["name"]: check for check in json.loads(found.stdout)}
    assert {"versions", "torch", "cores", "memory", "runs", "temporary", "port 8091", "keys"} <= set(checks)
    assert "binance" not in checks
    assert "torch" in checks["versions"]["text"]
    given, _, absent = checks["keys"]["text"].partition("; not set: ")
    assert "HF_TOKEN" in given
    assert "WANDB_API_KEY" in absent
    assert "abcdefghij" not in found.output


def test_a_taken_port_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        monkeypatch.setattr(doctor, "_PORTS", {listener.getsockname()[1]: "serve"})
        (line,) = [line for line in told("--offline").output.splitlines() if " port " in line]
    assert line.split()[0] == "warning"
    assert "taken by another program (serve)" in line


def test_what_is_missing_fails_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_PACKAGES", ("torch", "no-such-package-at-all"))
    found = told("--offline")
    assert isinstance(found.exception, ConfigError)
    assert str(found.exception) == "versions failed, see above"
    assert "not installed: no-such-package-at-all" in found.output


def test_settings_that_are_wrong_are_one_line_and_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BT_NETUID", "many")
    found = told("--offline")
    assert isinstance(found.exception, ConfigError)
    assert "settings failed" in str(found.exception)
    assert "BT_NETUID" in found.output


def test_venues_that_cannot_be_reached_are_warnings(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # taken, but nobody listens
        address = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        for name in ("SYNTHCITY_BINANCE_URL", "SYNTHCITY_HYPERLIQUID_URL", "SYNTHCITY_SYNTH_API_URL"):
            monkeypatch.setenv(name, address)
        checks = {check["name"]: check for check in json.loads(told("--json").stdout)}
    for name in ("binance", "hyperliquid", "synth", "clock"):
        assert checks[name]["state"] == "warning"
        assert address in checks[name]["text"]

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from synthcity.cli.main import cli
from synthcity.errors import SynthcityError
from synthcity.rent import LEDGER, Ledger
from tests.ports import free_ports
from tests.rent.builders import NAME, rental
from tests.standins.market import TOKEN, Running
from tests.waiting import until

HOUR = 3600.0
OTHER = "synthcity-other-gpu-00000000beef"


def invoke(*words: str) -> Result:
    return CliRunner().invoke(cli, ["cluster", *words, "--state", "state"])


def test_rentals_are_shown_with_what_is_known_of_them(server: Running, tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "state" / "syntha" / LEDGER)
    ledger.write(rental(state="rented"))
    ledger.close()
    server.rent(NAME, age=2 * HOUR + 30)
    server.rent(OTHER, "plum-cpu-8", kind="cpu", age=13 * HOUR + 30)
    server.rent("somebody", "opal-h100-x1")
    shown = invoke("rentals")
    assert shown.exit_code == 0, shown.output
    lines = shown.stdout.splitlines()
    assert lines[1].split()[:4] == [OTHER, "cpu", "running", "13h"]
    assert lines[1].endswith("unknown, old")
    assert lines[2].split()[:6] == [NAME, "A100", "running", "2h", "1.35", "2.71"]
    assert lines[-1] == "2 rentals, 1.47 USD an hour; 1 of others (--all)"
    told = json.loads(invoke("rentals", "--all", "--json").stdout)
    assert {one["name"]: one["marks"] for one in told} == {
        OTHER: ["unknown", "old"],
        NAME: [],
        "somebody": ["others"],
    }
    assert (told[1]["cluster"], told[1]["node_type"], told[1]["hourly_usd"]) == ("syntha", "gpu", "1.35")
    server.set(faults=[{"on": "^list gpu", "what": "unknown"}])
    assert invoke("rentals").stdout.splitlines()[-1].startswith("2 rentals, at least 0.12 USD an hour")
    server.set(faults=[{"on": "^list cpu", "what": "403"}])
    assert isinstance(invoke("rentals").exception, SynthcityError)


def test_reaping_once_asks_and_tells_when_lists_lack_it(server: Running) -> None:
    server.rent(NAME, age=13 * HOUR)
    server.rent(OTHER, age=HOUR)
    assert CliRunner().invoke(cli, ["cluster", "reap"], input="n\n").exit_code == 1
    dry = invoke("reap", "--dry-run")
    assert dry.stdout.startswith(f"{NAME} (")
    assert "ended" not in dry.stdout
    told = json.loads(invoke("reap", "--dry-run", "--json").stdout)
    assert [(one["name"], one["hourly_usd"]) for one in told["due"]] == [(NAME, "1.35")]
    assert told["ended"] is False
    assert len(server.names()) == 2
    done = invoke("reap", "--yes")
    assert done.exit_code == 0, done.output
    assert "1 ended; the market lists none of them any more" in done.stdout
    assert server.names() == [OTHER]
    assert invoke("reap", "--yes").stdout == "nothing is older than 12h\n"
    told = json.loads(invoke("reap", "--yes", "--cluster", "other", "--json").stdout)
    assert ([one["name"] for one in told["due"]], told["ended"]) == ([OTHER], True)
    assert server.names() == []
    assert invoke("reap", "--yes", "--cluster", "other").stdout == "nothing is rented\n"


def test_reaping_goes_on_through_troubles_and_leaves_a_heartbeat(server: Running, tmp_path: Path) -> None:
    server.rent(NAME, age=13 * HOUR)
    command = [sys.executable, "-m", "synthcity", "cluster", "reap", "--every", "10s", "--yes", "--state", "state"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ)) as process:
        try:
            until((tmp_path / "state/reaper.json").exists, process=process)
            until(lambda: server.names() == [], process=process)
        finally:
            process.send_signal(signal.SIGTERM)
    assert json.loads((tmp_path / "state/reaper.json").read_text())["older"] == 12 * HOUR


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["reap", "--every", "60s"], "--every asks nobody, so it needs --yes"),
        (["reap", "--every", "60s", "--yes", "--cluster", "a"], "--every is for all clusters"),
        (["reap", "--every", "60s", "--yes", "--dry-run"], "--dry-run tells of one round; leave out --every"),
        (["reap", "--every", "60s", "--yes", "--json"], "--json tells of one round; leave out --every"),
        (["reap", "--cluster", "A-b"], "--cluster must be 1 to 16 small letters"),
        (["reap", "--every", "60"], "a duration with its unit"),
        (["reap", "--older", "-1h"], "must be"),
    ],
)
def test_a_mistake_is_told_before_the_market_is_asked(server: Running, words: list[str], text: str) -> None:
    done = invoke(*words)
    assert text in done.output + str(done.exception)
    assert getattr(done.exception, "exit_code", done.exit_code) == 2 or done.exit_code == 2
    assert server.state()["asked"] == []


def test_no_token_and_no_market_are_told(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BASILICA_API_URL", f"http://127.0.0.1:{free_ports(1)[0]}")
    away = invoke("rentals").exception
    assert isinstance(away, SynthcityError)
    assert away.exit_code == 3
    monkeypatch.setenv("BASILICA_API_TOKEN", "")
    told = invoke("reap", "--yes").exception
    assert isinstance(told, SynthcityError)
    assert told.exit_code == 2
    assert TOKEN not in str(away) + str(told)

"""What a machine lacks for a miner, and what of one is open beside its port."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from synthcity.serve import set_up
from synthcity.serve.admission.presence import miner_at
from synthcity.serve.deployment import ClusterConfig
from synthcity.serve.ingress.outside import Listener
from synthcity.serve.mining import MiningConfig
from synthcity.serve.preflight import CheckState
from synthcity.serve.set_up import check_outside, check_set_up
from tests.forecast.bundles.test_facts import bundle, facts
from tests.ports import free_ports
from tests.serve.dialogue import STRANGER, VALIDATOR, snapshot

PORTS = [Listener(port=8091, program="haproxy", address="0.0.0.0"), Listener(port=8404, program="raylet", address="::")]


@pytest.fixture(autouse=True)
def no_venue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNTHCITY_BINANCE_URL", "http://127.0.0.1:9")


@pytest.fixture
def config(tmp_path: Path) -> MiningConfig:
    snapshot().write(tmp_path / "metagraph.json")
    (port,) = free_ports(1)
    return MiningConfig(
        model="fhs",
        store=str(tmp_path / "store"),
        state=str(tmp_path / "state"),
        hotkey=VALIDATOR.ss58_address,
        metagraph=str(tmp_path / "metagraph.json"),
        cluster=ClusterConfig(host="0.0.0.0", port=port),
    )


def states(config: MiningConfig) -> dict[str, tuple[CheckState, str]]:
    return {one.name: (one.state, one.text) for one in check_set_up(config)}


def test_a_machine_without_a_miner_is_told_what_it_has(config: MiningConfig, tmp_path: Path):
    found = states(config)
    assert found["hotkey"] == (CheckState.OK, VALIDATOR.ss58_address)
    assert found["model"] == (CheckState.OK, "fhs+q, baseline:fhs")
    assert found["clock"][0] is CheckState.WARNING
    assert found["address"][0] is CheckState.WARNING  # nothing would be published
    assert found["outside"] == (
        CheckState.WARNING,
        f"no miner runs with {tmp_path / 'state'}; check again while one does, since only then its ports can be tried",
    )
    assert not (tmp_path / "state").exists()


def test_what_is_missing_is_told_all_at_once(config: MiningConfig, monkeypatch: pytest.MonkeyPatch):
    usage = shutil.disk_usage(Path(config.store).parent)._replace(free=5)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    monkeypatch.setattr(set_up, "most_connections", lambda: 100)
    found = states(replace(config, model="no-such-bundle", hotkey="nobody", wallet="none"))
    assert {name for name, (state, _) in found.items() if state is CheckState.FAILED} == {"hotkey", "model", "disk"}
    assert (
        found["files"][1]
        == "the limit of open files allows HAProxy 100 connections, which one caller fills; raise `ulimit -Hn`"
    )


def test_the_published_address_is_held_against_the_chains(config: MiningConfig):
    known = snapshot().neurons[VALIDATOR.ss58_address].ip
    assert states(config)["published"] == (CheckState.OK, f"validators know {known}; nothing new would be published")
    assert states(replace(config, hotkey=STRANGER.ss58_address))["published"][0] is CheckState.FAILED
    assert states(replace(config, metagraph="nowhere.json"))["published"][0] is CheckState.WARNING


@pytest.mark.parametrize(
    ("open_at", "state", "text"),
    [
        ({8091}, CheckState.OK, "of 2 ports 8091 alone answers at 192.0.2.7"),
        (
            {8091, 8404},
            CheckState.FAILED,
            "from outside: 8404 (raylet) at 192.0.2.7; `synthcity mine firewall --port 8091`",
        ),
        (set(), CheckState.FAILED, "port 8091 does not answer at 192.0.2.7"),
    ],
)
def test_the_public_port_alone_may_answer(open_at: set[int], state: CheckState, text: str):
    found = check_outside(8091, PORTS, ["192.0.2.7"], lambda _, port: port in open_at)
    assert (found.state, text in found.text) == (state, True), found.text
    assert check_outside(8091, PORTS, [], lambda *_: True).state is CheckState.WARNING


RUNS = """
import socket, sys
from pathlib import Path
from synthcity.serve.admission.presence import alone
with alone(Path(sys.argv[1])):
    servers = [socket.create_server(("", 0)) for _ in range(2)]
    print(*(server.getsockname()[1] for server in servers), flush=True)
    sys.stdin.read()
"""


def test_ports_of_a_running_miner_are_tried(config: MiningConfig, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(set_up, "outer_addresses", lambda: ["127.0.0.1"])  # whatever this machine has
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", RUNS, config.state], **pipes, text=True) as miner:
        assert miner.stdout is not None
        public, beside = map(int, miner.stdout.readline().split())
        assert miner_at(Path(config.state)) == miner.pid
        found = states(replace(config, cluster=ClusterConfig(host="0.0.0.0", port=public)))["outside"]
        miner.kill()
    assert found[0] is CheckState.FAILED
    assert found[1].startswith(f"can be reached from outside: {beside} (python")
    assert miner_at(Path(config.state)) is None


def test_a_watched_place_is_looked_into(config: MiningConfig, tmp_path: Path):
    watching = replace(config, watch=str(tmp_path / "place"))
    state, text = states(watching)["watch"]
    assert (state, "there is no folder" in text) == (CheckState.FAILED, True)
    (tmp_path / "place").mkdir()
    assert states(watching)["watch"] == (CheckState.WARNING, f"no bundle lies in {tmp_path / 'place'} yet")
    made = bundle(tmp_path / "place" / "a", facts("binance"))
    assert states(watching)["watch"] == (CheckState.OK, f"the newest bundle of {tmp_path / 'place'} is {made}")
    assert "watch" not in states(config)

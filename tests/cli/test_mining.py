"""``synthcity mine run`` and ``promote``: what is refused before the start, and a miner as an operator starts it."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

import httpx
import pytest
from bittensor_wallet import Wallet
from click.testing import CliRunner, Result

from synthcity.cli import mining
from synthcity.cli.main import cli
from synthcity.errors import BundleError, ConfigError, RunError
from synthcity.market.store import Store
from synthcity.nets.authored.code import forget
from synthcity.serve.admission.presence import alone
from synthcity.serve.chain.__main__ import main
from synthcity.serve.settlement.settle import read_answers
from synthcity.serve.settlement.succession import Succession
from tests.ports import free_ports
from tests.serve.builders import CODE, write_coded_bundle
from tests.serve.dialogue import MINER, STRANGER, body, headers, market, question, snapshot
from tests.waiting import until

RUN = "from synthcity.cli.main import main; main()"
CLOSED = "http://127.0.0.1:9"  # no venue answers there


def _ready(folder: Path) -> None:
    """A store that ends now, and who is registered."""
    for (asset, resolution), bars in market(("BTC",), days=15, now=time.time()).items():
        Store(folder / "store").append(asset, "binance", resolution, bars)
    snapshot().write(folder / "metagraph.json")


def _arguments(folder: Path, port: int, hotkey: str = MINER.ss58_address) -> list[str]:
    told = {"--data": folder / "store", "--state": folder / "state", "--metagraph": folder / "metagraph.json"}
    told |= {"--assets": "BTC", "--hotkey": hotkey, "--host": "127.0.0.1", "--port": port, "--patience": "0.1s"}
    told |= {"--metrics-port": 0}
    return ["mine", "run", "fhs", *(str(word) for pair in told.items() for word in pair)]


def _run(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> Result:
    monkeypatch.setenv("SYNTHCITY_BINANCE_URL", CLOSED)
    return CliRunner().invoke(cli, arguments)


def test_a_cluster_whose_replicas_would_each_keep_nonces_of_their_own_is_refused(tmp_path: Path, monkeypatch):
    _ready(tmp_path)
    monkeypatch.setenv("RAY_ADDRESS", "127.0.1.1:7006")
    result = _run(_arguments(tmp_path, free_ports(1)[0]), monkeypatch)
    assert isinstance(result.exception, ConfigError)
    assert "RAY_ADDRESS names a cluster (127.0.1.1:7006), whose machines share no file" in str(result.exception)


def test_a_port_that_is_taken_and_a_stranger_are_told_before_anything_starts(tmp_path: Path, monkeypatch):
    _ready(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = _run(_arguments(tmp_path, port, STRANGER.ss58_address), monkeypatch)
    assert isinstance(result.exception, ConfigError)
    assert str(result.exception) == "the miner does not start: chain, address failed, see above"
    lines = {line[8:20].strip(): line for line in result.output.splitlines()}
    assert f"hotkey {STRANGER.ss58_address} is not registered on subnet 50" in lines["chain"]
    assert f"cannot listen at 127.0.0.1:{port} (Address already in use)" in lines["address"]
    assert lines["model"].startswith("ok")
    assert lines["clock"].startswith("warning")
    assert lines["prices"].startswith("ok")


def test_a_miner_without_prices_does_not_start(tmp_path: Path, monkeypatch):
    snapshot().write(tmp_path / "metagraph.json")
    result = _run(_arguments(tmp_path, 18091), monkeypatch)
    assert "prices, model failed" in str(result.exception)
    assert "BTC none; prompts are refused" in result.output


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--hotkey", "nobody", "--wallet", "none"], "wallet 'none' has no hotkey 'nobody' here"),
        (["--assets", "BTC,DOGE"], "DOGE"),
    ],
)
def test_nonsense_is_refused_in_one_sentence(tmp_path: Path, monkeypatch, arguments, text):
    result = _run([*_arguments(tmp_path, 18091), *arguments], monkeypatch)
    assert isinstance(result.exception, ConfigError)
    assert text in str(result.exception)


def test_a_state_folder_belongs_to_one_miner_and_is_left_as_it_was_by_a_start_that_fails(tmp_path: Path, monkeypatch):
    _ready(tmp_path)
    arguments = _arguments(tmp_path, 18091, STRANGER.ss58_address)
    earned = Succession(named="trailing", challenger="ewma", champion="ewma", reason="it has won")
    earned.write(tmp_path / "state")
    with alone(tmp_path / "state"):
        second = _run(arguments, monkeypatch)
    assert isinstance(second.exception, RunError)
    assert (
        str(second.exception)
        == f"another miner runs with the folder {tmp_path / 'state'}; end it, or name another --state"
    )
    assert "chain failed" in str(_run(arguments, monkeypatch).exception)
    assert Succession.read(tmp_path / "state") == earned
    (tmp_path / "file").touch()
    refused = _run([*arguments, "--state", str(tmp_path / "file" / "state")], monkeypatch)
    assert "(Not a directory); choose another --state" in str(refused.exception)


def test_code_that_a_model_wrote_is_refused_before_anything_starts_unless_trusted(tmp_path: Path, monkeypatch):
    _ready(tmp_path)
    bundle = str(write_coded_bundle(tmp_path / "bundle"))
    arguments = [*_arguments(tmp_path, 18091, STRANGER.ss58_address), "--challenger", bundle]
    refused = _run(arguments, monkeypatch)
    assert isinstance(refused.exception, BundleError)
    assert "code/0.py (block gated_average); read it, and if you trust it" in str(refused.exception)
    assert refused.output == ""
    Succession(named="fhs", challenger=bundle, champion="fhs", reason="").write(tmp_path)
    promote = ["mine", "promote", str(tmp_path)]
    assert isinstance(CliRunner().invoke(cli, promote).exception, BundleError)
    try:
        told = _run([*arguments, "--trust-code"], monkeypatch)
        assert str(told.exception) == "the miner does not start: chain failed, see above"
        assert "ok      challenger  fhs answers 2 kinds of prompts" in told.output
        assert CliRunner().invoke(cli, [*promote, "--trust-code"]).output == f"champion: {bundle}\n"
    finally:
        forget(CODE)


CHAIN = """
import os, types

class Wallet:
    def __init__(self, name, hotkey):
        self.hotkey = types.SimpleNamespace(ss58_address=os.environ["OURS"])

class Subtensor:
    def __init__(self, network):
        pass

    def metagraph(self, netuid):
        axon, block = types.SimpleNamespace(ip="0.0.0.0", port=0), types.SimpleNamespace(item=lambda: 7)
        return types.SimpleNamespace(
            hotkeys=[os.environ["OURS"]], S=[70000.0], validator_permit=[True], axons=[axon], block=block
        )
"""
SERVING = """
import os, types

def serve_extrinsic(subtensor, wallet, ip, port, *args, **kwargs):
    with open(os.environ["PUBLISHED"], "a") as file:
        file.write(f"{ip}:{port}")
    return types.SimpleNamespace(success=True)
"""


def _start(folder: Path, port: int, *arguments: str) -> tuple[list[str], dict[str, str]]:
    """How a miner starts that publishes, on a chain that knows it but did not when the last snapshot was taken."""
    _ready(folder)
    wallet = Wallet(name="miner", path=str(folder / ".bittensor" / "wallets")).create_if_non_existent(
        coldkey_use_password=False, hotkey_use_password=False, suppress=True
    )
    for name in ("bittensor", "bittensor/core", "bittensor/core/extrinsics"):
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text(CHAIN if name == "bittensor" else "")
    (folder / "bittensor/core/extrinsics/serving.py").write_text(SERVING)
    (folder / "state").mkdir()
    (folder / "metagraph.json").rename(folder / "state" / "metagraph.json")
    environment = {**os.environ, "OURS": wallet.hotkey.ss58_address, "PUBLISHED": str(folder / "published")}
    environment |= {"SYNTHCITY_BINANCE_URL": CLOSED, "HOME": str(folder)}
    environment["PYTHONPATH"] = os.pathsep.join([str(folder), str(Path(__file__).parents[2])])
    command = [sys.executable, "-c", RUN, "mine", "run", "fhs", "--data", str(folder / "store"), "--assets", "BTC"]
    command += ["--state", str(folder / "state"), "--wallet", "miner", "--hotkey", "default", "--host", "127.0.0.1"]
    command += ["--port", str(port), "--publish", "8.8.8.8:8091", "--patience", "60s", "--metrics-port", "0"]
    command += arguments
    return command, environment


def test_the_chain_is_asked_anew_and_told_nothing_by_a_start_that_fails(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        command, environment = _start(tmp_path, taken.getsockname()[1])
        done = subprocess.run(command, check=False, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    assert "ok      chain       uid 0 on subnet 50, block 7; 1 of 1 hotkeys may ask; " in done.stdout
    assert done.stderr.endswith("error: the miner does not start: address failed, see above\n")
    assert not (tmp_path / "published").exists()


HANGING = """
import fcntl, os, time

class Subtensor:
    def __init__(self, network):
        self.held = open(os.environ["HELD"], "a")
        fcntl.flock(self.held, fcntl.LOCK_EX)

    def metagraph(self, netuid):
        time.sleep(600)
"""


def test_a_killed_miner_takes_the_chains_process_with_it(tmp_path: Path):
    """Even if that hangs in its library; the system lets go of its lock when it is gone."""
    (tmp_path / "bittensor.py").write_text(HANGING)
    environment = {**os.environ, "HELD": str(tmp_path / "held"), "SYNTHCITY_BINANCE_URL": CLOSED}
    environment["PYTHONPATH"] = os.pathsep.join([str(tmp_path), str(Path(__file__).parents[2])])
    command = [sys.executable, "-c", RUN, "mine", "run", "fhs", "--data", str(tmp_path / "store"), "--assets", "BTC"]
    command += ["--state", str(tmp_path / "state"), "--hotkey", MINER.ss58_address, "--patience", "10m"]
    command += ["--metrics-port", "0"]
    with (tmp_path / "held").open("w") as held, subprocess.Popen(command, env=environment) as process:
        try:
            until(lambda: not _is_free(held), seconds=120, process=process)
        finally:
            process.kill()
        until(lambda: _is_free(held))


def _is_free(file: TextIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.flock(file, fcntl.LOCK_UN)
    except BlockingIOError:
        return False
    return True


def test_promotion_by_hand_is_written_down(tmp_path: Path):
    def promote(*arguments: str) -> Result:
        return CliRunner().invoke(cli, ["mine", "promote", str(tmp_path), *arguments])

    assert "holds no champion.json; name the --state folder" in str(promote().exception)
    Succession(named="fhs", challenger="ewma", champion="fhs", reason="").write(tmp_path)
    assert promote().output == "champion: ewma\n"
    assert Succession.read(tmp_path).champion == "ewma"
    assert promote("--back", "--reason", "it is worse").output == "champion: fhs\n"
    assert Succession.read(tmp_path).reason == "it is worse"
    Succession(named="fhs", challenger=None, champion="fhs", reason="").write(tmp_path)
    assert isinstance(promote().exception, RunError)
    Succession(named="fhs", challenger=str(tmp_path / "gone"), champion="fhs", reason="").write(tmp_path)
    assert isinstance(promote().exception, ConfigError)
    assert Succession.read(tmp_path).champion == "fhs"


def _ask(client: httpx.Client) -> int:
    now = time.time()
    start = datetime.fromtimestamp(int(now) // 60 * 60 + 120, UTC).isoformat()
    asked = question("BTC", 3600, 60, start_time=start)
    return client.post("/Simulation", content=body(asked), headers=headers(now)).status_code


@pytest.mark.slow
def test_a_miner_answers_shadows_and_changes_its_champion_without_a_failed_answer(tmp_path: Path):
    _ready(tmp_path)
    (port,) = free_ports(1)
    environment = {**os.environ, "SYNTHCITY_BINANCE_URL": CLOSED}
    command = [sys.executable, "-c", RUN, *_arguments(tmp_path, port), "--challenger", "ewma"]
    said: list[str] = []
    statuses: list[int] = []
    ended = threading.Event()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:

        def listen() -> None:
            said.extend(process.stdout)

        def ask() -> None:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as client:
                while not ended.wait(0.3):
                    statuses.append(_ask(client))

        listener, asker = threading.Thread(target=listen), threading.Thread(target=ask)
        listener.start()
        try:
            until(lambda: any(line.startswith("mining with fhs") for line in said), seconds=120, process=process)
            asker.start()
            until(lambda: len(statuses) > 5, seconds=120, process=process)
            promoted = subprocess.run(
                [sys.executable, "-c", RUN, "mine", "promote", str(tmp_path / "state")], check=False, env=environment
            )
            assert promoted.returncode == 0
            until(
                lambda: any("ewma answers in place of fhs: by hand" in line for line in said),
                seconds=120,
                process=process,
            )
            count = len(statuses)
            until(lambda: len(statuses) > count + 10, seconds=120, process=process)
        finally:
            ended.set()
            if asker.ident is not None:
                asker.join()
            process.send_signal(signal.SIGTERM)
            code = process.wait(90)
            listener.join()
    assert code == 0
    assert set(statuses) == {200}, statuses
    answers, problems = read_answers(tmp_path / "state" / "ledger")
    assert problems == []
    sent = [answer.bundle for answer in answers if answer.sent]
    assert len(sent) == len(statuses)
    assert list(dict.fromkeys(sent))[:2] == ["baseline:fhs", "baseline:ewma"]
    assert {answer.bundle for answer in answers if not answer.sent} == {"baseline:ewma"}
    assert json.loads((tmp_path / "state" / "champion.json").read_text())["champion"] == "ewma"


def test_wallet_and_network_come_from_options_then_the_environment_then_the_file(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("BT_WALLET_NAME", "BT_HOTKEY_NAME", "BT_NETWORK", "BT_NETUID"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / ".env").write_text("BT_WALLET_NAME=cold\nBT_HOTKEY_NAME=hot\nBT_NETWORK=test\nBT_NETUID=247\n")
    monkeypatch.setenv("BT_HOTKEY_NAME", "warm")
    for program in (mining.run, main):
        required = ["fhs", "--data", str(tmp_path)] if program is mining.run else ["--metagraph", "file"]
        found = program.make_context("program", [*required, "--network", "local"]).params
        assert (found["wallet"], found["hotkey"], found["network"], found["netuid"]) == ("cold", "warm", "local", 247)


def test_a_machine_is_checked_without_a_start_and_what_failed_is_named(tmp_path: Path, monkeypatch):
    _ready(tmp_path)
    arguments = _arguments(tmp_path, free_ports(1)[0], STRANGER.ss58_address)
    arguments[1] = "check"
    result = _run(arguments, monkeypatch)
    assert isinstance(result.exception, ConfigError)
    assert str(result.exception) == "published failed, see above"
    lines = {line[8:20].strip(): line for line in result.output.splitlines()}
    assert {"hotkey", "model", "clock", "disk", "files", "published", "address", "outside"} <= set(lines)
    assert lines["model"] == "ok      model       fhs+q, baseline:fhs"
    assert not (tmp_path / "state").exists()


def test_rules_of_the_firewall_are_printed():
    printed = CliRunner().invoke(cli, ["mine", "firewall", "--port", "9000"]).output
    assert "elements = { 9000 }" in printed
    assert printed.endswith("}\n")

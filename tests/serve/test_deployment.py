"""``synthcity serve`` as a person starts it: Ray Serve behind HAProxy, in processes of its own."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import numpy as np
import pytest

from synthcity.market.store import Store
from synthcity.serve.ingress.outside import descendants, listeners, outer_addresses, reachable
from synthcity.sn50.prompt import Prompt
from synthcity.sn50.submission import validate
from tests.ports import free_ports
from tests.serve.builders import write_coded_bundle
from tests.serve.dialogue import MINER, STRANGER, body, headers, market, question, write_snapshot

pytestmark = pytest.mark.slow
RUN = "from synthcity.cli.main import main; main()"
CANARY = {"CHUTES_API_KEY": "canary-1", "SOME_TOKEN": "canary-2"}


@dataclass(frozen=True)
class Served:
    port: int
    pid: int
    state: Path
    temporary: Path


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A served bundle with code that a model wrote, until SIGTERM; the end must be clean."""
    folder = tmp_path_factory.mktemp("serve")
    for (asset, resolution), bars in market(("BTC", "ETH"), days=15, now=time.time()).items():
        Store(folder / "store").append(asset, "test", resolution, bars)
    write_coded_bundle(folder / "bundle")
    (port,) = free_ports(1)
    command = [sys.executable, "-c", RUN, "serve", str(folder / "bundle"), "--data", str(folder / "store")]
    command += [
        "--state",
        str(folder / "state"),
        "--host",
        "0.0.0.0",
        "--port",
        str(port),
        "--rest",
        "--trust-code",
        "--metrics-port",
        "0",
    ]
    command += ["--hotkey", MINER.ss58_address, "--metagraph", str(write_snapshot(folder))]
    with (
        tempfile.TemporaryDirectory(prefix="d", dir="/tmp") as temporary,  # short, since sockets lie below it
        subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env={**os.environ, **CANARY, "TMPDIR": temporary}
        ) as process,
    ):
        assert process.stdout is not None
        line = process.stdout.readline()
        while line and not line.startswith("serving"):
            line = process.stdout.readline()
        assert line, f"ended with {process.wait()}"
        yield Served(port, process.pid, folder / "state", Path(temporary))
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        assert not list(Path(temporary).glob("synthcity-*"))


@pytest.fixture(scope="module")
def client(served: Served) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"http://127.0.0.1:{served.port}", trust_env=False, timeout=60) as client:
        yield client


@pytest.mark.parametrize(("asset", "length", "increment"), [("BTC", 86400, 300), ("ETH", 3600, 60)])
def test_answers_a_validator(client: httpx.Client, asset: str, length: int, increment: int):
    now = time.time()
    start = int(now) // 60 * 60 + 120
    asked = question(asset, length, increment, start_time=datetime.fromtimestamp(start, UTC).isoformat())
    answer = client.post("/Simulation", content=body(asked), headers=headers(now))
    assert answer.status_code == 200, answer.text
    prompt = Prompt(asset=asset, start_time=start, time_length=length, time_increment=increment)
    assert validate(answer.json()["simulation_output"], prompt) is None


def test_refuses_a_stranger_and_a_repetition(client: httpx.Client):
    now = time.time()
    stranger = client.post("/Simulation", content=body(), headers=headers(now, key=STRANGER))
    assert stranger.status_code == 403
    again = [client.post("/Simulation", content=b"{}", headers=headers(now, uuid="again")) for _ in range(2)]
    assert [answer.status_code for answer in again] == [400, 401]


def test_answers_people_in_both_forms(client: httpx.Client):
    asked = {"asset": "BTC", "time_length": 3600, "time_increment": 60, "seed": 3, "num_simulations": 50}
    raw = client.post("/simulate", json=asked, headers={"accept": "application/x-npy"})
    assert np.load(io.BytesIO(raw.content)).shape == (50, 61)
    told = json.loads(raw.headers["x-synthcity"])
    assert (told["seed"], told["forecaster"], told["fallback"]) == (3, "fhs", None)
    assert len(client.post("/simulate", json=asked).json()["paths"]) == 50


def test_tells_how_it_is(client: httpx.Client):
    assert client.get("/healthz").json() == {"status": "ok"}
    about = client.get("/models").json()
    assert (about["model"], about["fallback"], len(about["bundle"])) == ("fhs", "fhs+q", 64)
    assert "/simulate" in client.get("/openapi.json").json()["paths"]
    assert client.get("/docs").status_code == 200


def test_nothing_but_the_public_port_can_be_reached_from_outside(served: Served):
    found = listeners(descendants(served.pid))
    assert {"haproxy", "raylet", "gcs_server"} <= {one.program for one in found}
    assert {one.port for one in found if not one.address.startswith("127.")} == {served.port}
    for address in outer_addresses():
        assert [one.port for one in found if reachable(address, one.port)] == ([] if ":" in address else [served.port])


def test_no_child_inherits_a_secret(served: Served):
    children = descendants(served.pid) - {served.pid}
    assert len(children) > 5
    for pid in children:
        try:
            environ = Path(f"/proc/{pid}/environ").read_bytes()
        except OSError:  # gone meanwhile
            continue
        assert b"canary" not in environ, Path(f"/proc/{pid}/cmdline").read_bytes()


def test_folders_are_this_users_alone(served: Served):
    modes = [folder.stat().st_mode & 0o777 for folder in served.temporary.glob("synthcity-*")]
    assert modes == [0o700, 0o700]


def test_a_haproxy_that_dies_is_told_and_started_again(served: Served, client: httpx.Client):
    """It took 29 seconds; a start of Ray's takes most of the time now."""
    (dead,) = (pid for pid in descendants(served.pid) if Path(f"/proc/{pid}/comm").read_text() == "haproxy\n")
    os.kill(dead, signal.SIGKILL)
    begin, status = time.monotonic(), 0
    while status != 200:
        assert time.monotonic() - begin < 25
        with contextlib.suppress(httpx.TransportError):
            status = client.get("/healthz").status_code
        time.sleep(0.1)
    print(f"answered again after {time.monotonic() - begin:.1f} s")


def test_state_is_this_users_alone(served: Served):
    assert len(list(served.state.iterdir())) > 1
    for path in (served.state, *served.state.rglob("*")):
        assert path.stat().st_mode & 0o077 == 0, path

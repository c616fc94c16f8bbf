"""Two services on one machine: what is asked of one is never answered by the other."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from synthcity.market.store import Store
from synthcity.serve.ingress.outside import descendants, listeners
from tests.ports import free_ports
from tests.serve.dialogue import MINER, body, headers, market, write_snapshot

pytestmark = pytest.mark.slow
RUN = "from synthcity.cli.main import main; main()"


def start(folder: Path, port: int, *arguments: str) -> subprocess.Popen[str]:
    command = [
        sys.executable,
        "-c",
        RUN,
        "serve",
        "fhs",
        "--data",
        str(folder / "store"),
        "--replicas",
        "1",
        "--metrics-port",
        "0",
    ]
    command += ["--state", str(folder / f"state-{port}"), "--port", str(port), *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ)
    assert process.stdout is not None
    while line := process.stdout.readline():
        if line.startswith("serving"):
            return process
    raise AssertionError(f"ended with {process.wait()}")


def test_without_its_replica_a_miner_answers_nothing_of_its_neighbours(tmp_path: Path):
    """The fallback port of Ray was shared: a miner's public port answered people's questions, anonymously."""
    for (asset, resolution), bars in market(("BTC",), days=15, now=time.time()).items():
        Store(tmp_path / "store").append(asset, "test", resolution, bars)
    mine, theirs = free_ports(2)
    miner = ("--hotkey", MINER.ss58_address, "--metagraph", str(write_snapshot(tmp_path)), "--no-rest")
    with start(tmp_path, mine, *miner) as first, start(tmp_path, theirs) as second:
        try:
            ports = [listeners(descendants(process.pid)) for process in (first, second)]
            ours, others = ({(one.address, one.port) for one in found} for found in ports)
            assert not ours & others
            (replica,) = (
                pid
                for pid in descendants(first.pid)
                if Path(f"/proc/{pid}/cmdline").read_text().startswith("ray::ServeReplica")
            )
            os.kill(replica, signal.SIGKILL)
            begin, statuses = time.monotonic(), []
            with httpx.Client(base_url=f"http://127.0.0.1:{mine}", timeout=60, trust_env=False) as client:
                while 400 not in statuses:  # the prompt's time is long past, which only our own replica says
                    assert time.monotonic() - begin < 60
                    try:
                        assert client.post("/simulate", json={"asset": "BTC"}).status_code in (404, 405, 500, 503)
                        answer = client.post("/Simulation", content=body(), headers=headers(time.time()))
                    except httpx.RemoteProtocolError:  # HAProxy is told of the replica, and closes what it held
                        continue
                    statuses.append(answer.status_code)
                    time.sleep(0.1)
        finally:
            for process in (first, second):
                process.send_signal(signal.SIGTERM)
            codes = [process.wait(60) for process in (first, second)]
    assert codes == [0, 0]
    assert set(statuses) <= {400, 500, 503}

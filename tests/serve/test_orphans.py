"""What a killed service leaves: nobody at its port, and nothing that the next start does not remove."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from synthcity.market.store import Store
from synthcity.serve.ingress.outside import descendants, reachable
from tests.ports import free_ports
from tests.serve.dialogue import market

pytestmark = pytest.mark.slow
RUN = "from synthcity.cli.main import main; main()"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("store")
    for (asset, resolution), bars in market(("BTC",), days=15, now=time.time()).items():
        Store(folder).append(asset, "test", resolution, bars)
    return folder


@pytest.fixture
def root() -> Iterator[Path]:
    """Short, since sockets lie below it."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="o", dir="/tmp") as folder:
        yield Path(folder)


def start(root: Path, store: Path, port: int) -> subprocess.Popen[str]:
    command = [
        sys.executable,
        "-c",
        RUN,
        "serve",
        "fhs",
        "--data",
        str(store),
        "--replicas",
        "1",
        "--metrics-port",
        "0",
    ]
    command += ["--state", str(root / "state"), "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "TMPDIR": str(root)})
    assert process.stdout is not None
    while line := process.stdout.readline():
        if line.startswith("serving"):
            return process
    raise AssertionError(f"ended with {process.wait()}")


def named(pids: set[int], name: str) -> list[int]:
    found = []
    for pid in pids:
        try:
            if Path(f"/proc/{pid}/comm").read_text().strip() == name:
                found.append(pid)
        except OSError:
            continue
    return found


def folders(root: Path) -> set[Path]:
    return set(root.glob("synthcity-*"))


@pytest.mark.parametrize("victim", ["driver", "gcs_server"])
def test_a_killed_service_gives_its_port_back(root: Path, store: Path, victim: str):
    (port,) = free_ports(1)
    with start(root, store, port) as process:
        pids = descendants(process.pid)
        os.kill(process.pid if victim == "driver" else named(pids, victim)[0], signal.SIGKILL)
        begin = time.monotonic()
        while reachable("127.0.0.1", port):
            assert time.monotonic() - begin < 90
            time.sleep(0.2)
        print(f"{victim}: the port is free after {time.monotonic() - begin:.1f} s")
        process.kill()
    left = folders(root)
    assert left
    with start(root, store, port) as process:
        assert not left & folders(root)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert folders(root) == set()

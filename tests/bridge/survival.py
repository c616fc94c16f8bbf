"""The bridge is killed with -9 while jobs run: all go on, and the next bridge finds every one of them.

python -m tests.bridge.survival --jobs 20

The jobs have the real keeper, locks and records, but a command that only waits to be stopped, so that twenty of them
fit on any machine; ``round_of`` with ``light=False`` has real trainings.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from synthcity.bridge.jobs.board import MOST_AT_A_TIME
from synthcity.bridge.key import KEY
from tests.waiting import until

ROOT = Path(__file__).parents[2]
_WAITS = "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(143)); print('waits'); signal.pause()"
_KEEPER = f"""
import sys
from pathlib import Path
from synthcity.bridge.jobs import keeper
keeper.COMMAND = (sys.executable, "-c", {_WAITS!r})
keeper.keep(Path(sys.argv[3]), int(sys.argv[4]))
"""  # argv: -c, -m, the module, its folder and lock
_BRIDGE = """
import sys
from synthcity.bridge.jobs import board
from synthcity.cli.main import main
board.MOST_AT_A_TIME, sys.executable = int(sys.argv.pop(1)), sys.argv.pop(1)
main()
"""


@contextlib.contextmanager
def running(folder: Path, most: int | None = None) -> Iterator[tuple[subprocess.Popen[str], httpx.Client]]:
    """Start a bridge with its state in ``folder``; with ``most`` it has room for so many jobs, which only wait."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "BRIDGE_API_KEY": ""}
    command = [sys.executable, "-u", "-m", "synthcity", "bridge", "--port", "0"]
    if most is not None:
        wrapper = folder / "keeper"
        wrapper.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -c {shlex.quote(_KEEPER)} "$@"\n')
        wrapper.chmod(0o700)
        command = [sys.executable, "-u", "-c", _BRIDGE, str(most), str(wrapper), "bridge", "--port", "0"]
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = next(line for line in process.stdout if line.startswith("bridge at ")).split()[2].rstrip(";")
            headers = {"X-API-Key": (folder / "bridge" / KEY).read_text().strip()}
            with httpx.Client(base_url=url, headers=headers, trust_env=False, timeout=60) as client:
                yield process, client
        finally:
            process.kill()


def round_of(folder: Path, count: int, *, light: bool = False) -> int:
    """Start so many jobs, kill the bridge, and return how many the next bridge finds at work; then stop them."""
    most = count if light else None
    with running(folder, most) as (process, client):
        started = {client.post("/quick/run", json={}).raise_for_status().json()["id"] for _ in range(count)}
        is_full = count == (most or MOST_AT_A_TIME)
        assert client.post("/quick/run", json={}).status_code == (429 if is_full else 202)
        process.send_signal(signal.SIGKILL)
        process.wait()
    with running(folder, most) as (_, client):
        listed = client.get("/jobs?limit=1000").json()["jobs"]
        found = {job["id"] for job in listed if job["state"] == "running"} & started
        for id in found:
            client.post(f"/jobs/{id}/stop", json={}).raise_for_status()
        until(lambda: client.get("/jobs").json()["running"] == 0, seconds=300)
        states = {job["state"] for job in client.get("/jobs?limit=1000").json()["jobs"] if job["id"] in started}
        assert states == {"stopped"}, states
    return len(found)


def main() -> None:
    """Print how many jobs were found again; the exit code says whether all were."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=20)
    wanted, begin = parser.parse_args().jobs, time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        found = round_of(Path(folder), wanted, light=True)
    print(f"kill -9 of the bridge during {wanted} jobs, {found} found again; {time.monotonic() - begin:.0f} s")
    raise SystemExit(found != wanted)


if __name__ == "__main__":
    main()

"""The bridge is killed with -9 while jobs run: all go on, and the next bridge finds every one of them.

python -m tests.bridge.survival --jobs 20
"""

from __future__ import annotations

import argparse
import contextlib
import os
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


@contextlib.contextmanager
def running(folder: Path) -> Iterator[tuple[subprocess.Popen[str], httpx.Client]]:
    """Start a bridge as a person does, with its state in ``folder``."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "BRIDGE_API_KEY": ""}
    command = [sys.executable, "-u", "-m", "synthcity", "bridge", "--port", "0"]
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = next(line for line in process.stdout if line.startswith("bridge at ")).split()[2].rstrip(";")
            headers = {"X-API-Key": (folder / "bridge" / KEY).read_text().strip()}
            with httpx.Client(base_url=url, headers=headers, trust_env=False, timeout=60) as client:
                yield process, client
        finally:
            process.kill()


def round_of(folder: Path, count: int) -> int:
    """Start so many jobs, kill the bridge, and return how many the next bridge finds at work; then stop them."""
    with running(folder) as (process, client):
        started = {client.post("/quick/run", json={}).raise_for_status().json()["id"] for _ in range(count)}
        assert client.post("/quick/run", json={}).status_code == (429 if count == MOST_AT_A_TIME else 202)
        process.send_signal(signal.SIGKILL)
        process.wait()
    with running(folder) as (_, client):
        found = {job["id"] for job in client.get("/jobs").json()["jobs"] if job["state"] == "running"} & started
        for id in found:
            client.post(f"/jobs/{id}/stop", json={}).raise_for_status()
        until(lambda: client.get("/jobs").json()["running"] == 0, seconds=120)
        states = {job["state"] for job in client.get("/jobs").json()["jobs"] if job["id"] in started}
        assert states == {"stopped"}, states
    return len(found)


def main() -> None:
    """Print how many jobs were found again; the exit code says whether all were."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=20)
    wanted, found, begin = parser.parse_args().jobs, 0, time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(wanted // MOST_AT_A_TIME):
            found += round_of(Path(folder), MOST_AT_A_TIME)
    kills = wanted // MOST_AT_A_TIME
    print(f"{kills} kills -9 of the bridge, {found} of {wanted} jobs found again; {time.monotonic() - begin:.0f} s")
    raise SystemExit(found != wanted)


if __name__ == "__main__":
    main()

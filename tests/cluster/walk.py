"""A search on rented machines from beginning to end, by the commands that a person types.

``python -m tests.cluster.walk``: the market, its machines (namespaces with OpenSSH's server) and the vault are
stand-ins; the reaper, the cluster, ssh, Ray's autoscaler, the job and its search are true. Two machines are rented for
the trials of a small search, go when they are idle, and in the end nothing is left at the market or here. It takes some
ten minutes, two of which ``down`` waits for, and prints what each step took.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import yaml

from synthcity.cluster.folder import Folder
from synthcity.cluster.notes import notes
from synthcity.cluster.processes import marked
from synthcity.rent import LEDGER, read_ledger
from tests.cluster.campaign import ROOT
from tests.cluster.landlord import Landlord
from tests.cluster.machine import POWER_OFF, missing
from tests.cluster.test_head import block, dashboard_of
from tests.standins.hippius import BUCKET, client, running_hippius
from tests.standins.market import TOKEN, Running, running_market
from tests.waiting import until

SWEEP = {
    "competition": "crypto-24h",
    "data": {
        "source": "simulated",
        "assets": ["BTC"],
        "periods": {
            "train": ["2025-02-10", "2025-03-01"],
            "validation": ["2025-03-01", "2025-03-08"],
            "test": ["2025-03-08", "2025-03-22"],
        },
        "validation_every": "23h",
        "test_every": "23h",
        "simulated": {"days": 90},
    },
    "search": {
        **{"trials": 4, "rungs": 2, "max_steps": 24, "finalists": 2, "final_seeds": 1, "workers": 2},
        **{"deterministic": True, "time_budget": None},
    },
}
_SECONDS = 1200.0  # that a search may take here
_COMMAND = [sys.executable, "-m", "synthcity"]


class Walk:
    """A person's folder, environment and terminal."""

    def __init__(self, home: Path, environment: dict[str, str]) -> None:
        self.project, self._began = home / "project", time.monotonic()
        self.project.mkdir()
        self._environment = {**os.environ, **environment, "HOME": str(home), "PYTHONPATH": str(ROOT)}
        self.folder = Folder(home / ".synthcity/clusters/walk")
        ports = block(2)
        head = {"ports": ports, "dashboard": dashboard_of(ports)}
        cpu = {"market": "basilica", "max_nodes": 2, "max_hourly_rate": "0.20", "idle": "30s", "power_off": POWER_OFF}
        limits = {"hourly": "0.40", "spend": "1.00"}
        plan = {
            "name": "walk",
            "head": head,
            "nodes": {"cpu": cpu},
            "limits": limits,
            "storage": "s3://synth-city/walk",
        }
        (self.project / "cluster.yaml").write_text(yaml.safe_dump(plan))
        (self.project / "sweep.yaml").write_text(yaml.safe_dump(SWEEP))

    def note(self, text: str) -> None:
        """Say when something happened, in seconds since the beginning."""
        print(f"{time.monotonic() - self._began:5.0f} s  {text}", flush=True)

    def types(self, *words: str) -> str:
        """Run a command to its end and return what it prints."""
        before = time.monotonic()
        done = subprocess.run(
            [*_COMMAND, *words],
            cwd=self.project,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        self.note(
            f"`synthcity {' '.join(words)}` took {time.monotonic() - before:.0f} s and ended with {done.returncode}"
        )
        print("".join(f"         {line}\n" for line in (done.stdout + done.stderr).splitlines()), end="")
        assert done.returncode == 0
        return done.stdout

    @contextlib.contextmanager
    def begins(self, command: list[str], log: str) -> Iterator[subprocess.Popen[bytes]]:
        """Run a command in a second terminal until the block ends."""
        with (self.project.parent / log).open("wb") as file:
            child = subprocess.Popen(
                command, cwd=self.project, env=self._environment, stdin=subprocess.DEVNULL, stdout=file, stderr=file
            )
        try:
            yield child
        finally:
            child.kill()
            child.wait()


def walk(home: Path, market: Running, landlord: Landlord, environment: dict[str, str]) -> None:
    """Take all steps, and fail where one does not lead on."""
    person = Walk(home, environment)
    ledger = person.folder.path / LEDGER
    person.types("cluster", "check", "cluster.yaml")
    with person.begins([*_COMMAND, "cluster", "reap", "--every", "60s", "--yes"], "reaper.log") as reaper:
        until((person.folder.path.parent / "reaper.json").exists, process=reaper)
        person.types("cluster", "up", "cluster.yaml", "--dry-run")
        try:
            told = person.types("cluster", "up", "cluster.yaml")
            (line,) = [line.strip() for line in told.splitlines() if "ray job submit" in line]
            line = line.replace("configs/quickstart.yaml", "sweep.yaml")
            person.note(line)
            with person.begins(["/bin/sh", "-c", line], "job.log") as job:
                until(market.names, seconds=300, process=job)
                person.note("the first machine is rented")
                until(lambda: "joined" in [one.state for one in notes(person.folder.path)], seconds=300, process=job)
                person.note("a machine is a node")
                person.types("cluster", "status")
                for name, machine in landlord.machines.items():
                    for process in machine.processes():
                        with contextlib.suppress(FileNotFoundError):
                            assert TOKEN.encode() not in Path(f"/proc/{process}/environ").read_bytes(), name
                code = job.wait(_SECONDS)
            person.note(f"the job ended with {code}, {len(landlord.machines)} machines have been rented")
            print((home / "job.log").read_text()[-2000:])
            assert code == 0
            until(lambda: market.names() == [], seconds=300)
            person.note("the last machine went, since it was idle")
        finally:
            person.types("cluster", "down", "--yes")
    left = [name for name, machine in landlord.machines.items() if machine.is_alive]
    account = read_ledger(ledger)
    for name, began in landlord.began.items():
        person.note(f"{name} ran for {landlord.ended[name] - began:.0f} s")
    person.note(f"{account.spent:.4f} USD for {len(account.rentals)} rentals")
    assert market.names() == []
    assert left == []
    assert marked("SYNTHCITY_CLUSTER", str(person.folder.path)) == []
    assert {one.state for one in account.rentals} == {"gone"}
    assert market.state()["judge"]["faults"] == []
    assert re.search(r"\bsweep\b", person.types("vault", "list", "--vault", "s3://synth-city/walk"))
    person.types("runs", "show", "runs/sweep")


def main() -> None:
    """Walk."""
    if lacking := missing():
        sys.exit(f"the walk needs stand-in machines: {lacking}")
    with running_market() as market, running_hippius() as hippius, tempfile.TemporaryDirectory(prefix="walk-") as home:
        client(hippius).create_bucket(Bucket=BUCKET)
        market.set(virtual=None, judge={"caps": {"cpu": 0.2}, "max_nodes": 2, "max_hourly": 0.4})
        with Landlord(market) as landlord:
            walk(Path(home), market, landlord, market.environment | hippius.environment)
    print("nothing is left")


if __name__ == "__main__":
    main()

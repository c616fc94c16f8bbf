"""A search on stand-in machines behind ssh, through what may happen to a cluster.

``python -m tests.cluster.campaign [--each 5] [--faults machine,cable,ssh,gcs,monitor,head]``. Each time a cluster comes
up, a small deterministic search on a simulated market starts, its nodes are asked for by Ray's autoscaler, and in the
midst of it something is killed or cut. The search must end, or end once it is resumed, with the figures of one that
nothing happened to; afterwards no process of the cluster may be left, and machines must have ended by themselves.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from synthcity.cluster import autoscaling
from synthcity.cluster.folder import Folder, Head
from synthcity.cluster.head import down, up
from synthcity.cluster.plan import Plan
from synthcity.cluster.processes import marked
from synthcity.schema import build
from synthcity.settings import Settings
from tests.cluster.fleet import Record, records
from tests.cluster.machine import missing
from tests.cluster.test_head import block, dashboard_of
from tests.waiting import until

ROOT = Path(__file__).parents[2]
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
_SEARCH_SECONDS = 900.0
_CUT_SECONDS = 10.0
_ALONE_SECONDS = 180.0  # within which machines whose head is gone have ended: Ray's minute, and their own end


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How one search went.

    Attributes:
        fault: what happened to it; empty for the undisturbed one.
        codes: exit codes of its sessions, the last of which must be 0.
        figures: of its report, which must be those of the undisturbed one.
        lost: trials that were lost with their node or worker, and went on.
        seconds: from the head's start until nothing was left.
        left: what was still there, and must not be.
    """

    fault: str
    codes: tuple[int, ...]
    figures: Mapping[str, object]
    lost: int
    seconds: float
    left: tuple[str, ...]


class Trial:
    """One cluster with one search."""

    def __init__(self, folder: Path) -> None:
        ports = block()
        head = {"ports": ports, "dashboard": dashboard_of(ports)}
        nodes = {"cpu": {"market": "local", "max_nodes": 2, "idle": "5m"}}  # whose provider is the fleet
        self.plan = build(Plan, {"name": "camp", "head": head, "nodes": nodes})
        self.home, self.folder = folder, Folder(folder / "camp")
        (folder / "sweep.yaml").write_text(yaml.safe_dump(SWEEP))
        self.head = self.up()

    def up(self) -> Head:
        return up(self.plan, self.folder, self.home)

    def search(self, *, resume: bool) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", "from synthcity.cli.main import main; main()", "search", "sweep.yaml"]
        with (self.home / "search.log").open("a") as log:
            return subprocess.Popen(
                [*command, *(["--resume"] if resume else [])],
                cwd=self.home,
                env={**self.folder.environment(os.environ), "RAY_ADDRESS": self.head.gcs, "HOME": str(self.home)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                text=True,
            )

    def count(self, kind: str) -> int:
        path = self.home / "runs/sweep/journal.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        return sum(f'"kind":"{kind}"' in line.replace(" ", "") for line in lines)

    def process(self, *words: str) -> int:
        """Id of the process of the cluster whose arguments hold one of ``words``."""
        for process in marked("SYNTHCITY_CLUSTER", str(self.folder.path)):
            arguments = Path(f"/proc/{process.pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
            if any(word in arguments for word in words):
                return process.pid
        raise AssertionError(f"no process {words}")

    def node(self) -> Record:
        return next(record for record in records(self.folder.path) if record.pid)


def kill_machine(trial: Trial) -> None:
    trial.node().kill()


def cut_cable(trial: Trial) -> None:
    cable = trial.node().cable
    subprocess.run(["ip", "link", "set", cable, "down"], check=True)
    time.sleep(_CUT_SECONDS)  # the fault itself
    subprocess.run(["ip", "link", "set", cable, "up"], check=True)


def kill_ssh(trial: Trial) -> None:
    os.kill(trial.process("node.py follow"), signal.SIGKILL)


def kill_gcs(trial: Trial) -> None:
    os.kill(trial.process("gcs_server"), signal.SIGKILL)


def kill_monitor(trial: Trial) -> None:
    os.kill(trial.process("v2.monitor", "v2/monitor.py", "_private/monitor.py"), signal.SIGKILL)


def kill_head(trial: Trial) -> None:
    os.kill(trial.head.process.pid, signal.SIGKILL)


FAULTS: dict[str, Callable[[Trial], None]] = {
    "machine": kill_machine,
    "cable": cut_cable,
    "ssh": kill_ssh,
    "gcs": kill_gcs,
    "monitor": kill_monitor,
    "head": kill_head,
}


def run(fault: str, folder: Path) -> Outcome:
    """Run one search and do ``fault`` to it once its first network has been saved."""
    began = time.monotonic()
    trial = Trial(folder)
    codes = []
    try:
        child = trial.search(resume=False)
        if fault:
            until(lambda: trial.count("checkpoint") or child.poll() is not None, seconds=_SEARCH_SECONDS)
            FAULTS[fault](trial)
        codes.append(child.wait(_SEARCH_SECONDS))
        if codes[-1] != 0:
            if trial.folder.head is None:
                trial.head = trial.up()
            codes.append(trial.search(resume=True).wait(_SEARCH_SECONDS))
        report = json.loads((folder / "runs/sweep/report.json").read_text())
    finally:
        fleet = records(trial.folder.path)
        down(trial.folder, Settings())
    figures = {"winner": report["verdict"]["winner"], "sentence": report["verdict"]["sentence"]}
    limit = time.monotonic() + _ALONE_SECONDS
    while any(record.is_alive for record in fleet) and time.monotonic() < limit:
        time.sleep(0.5)
    left = [f"machine {record.name}" for record in fleet if record.is_alive]
    left += [f"process {process.pid}" for process in marked("SYNTHCITY_CLUSTER", str(trial.folder.path))]
    for record in fleet:
        record.kill()
    return Outcome(
        fault=fault,
        codes=tuple(codes),
        figures=figures,
        lost=trial.count("node_lost") + trial.count("worker_died"),
        seconds=time.monotonic() - began,
        left=tuple(left),
    )


def main() -> None:
    """Run the campaign, and fail where something does not hold."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--each", type=int, default=5, help="searches for each fault")
    parser.add_argument("--faults", default=",".join(FAULTS), help=f"of {', '.join(FAULTS)}")
    parser.add_argument("--keep", action="store_true", help="keep the folders")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that nothing of it stays
    if lacking := missing():
        sys.exit(f"the campaign needs stand-in machines: {lacking}")
    autoscaling.PROVIDER = "tests.cluster.fleet.Provider"
    os.environ.update({"PYTHONPATH": str(ROOT), "RAY_health_check_failure_threshold": "20"})  # as of rented nodes
    todo = ["", *(fault for fault in options.faults.split(",") for _ in range(options.each))]
    expected: Mapping[str, object] = {}
    failed = 0
    for fault in todo:
        folder = Path(tempfile.mkdtemp(prefix="camp-"))
        outcome = run(fault, folder)
        expected = expected or outcome.figures
        is_right = outcome.figures == expected and outcome.codes[-1] == 0 and not outcome.left
        failed += not is_right
        print(
            f"{fault or 'undisturbed':11} {'right' if is_right else 'WRONG'} {outcome.seconds:5.0f} s, exit codes "
            f"{outcome.codes}, {outcome.lost} losses, {outcome.figures['winner']} won, left {outcome.left}, {folder}",
            flush=True,
        )
        if is_right and not options.keep:
            subprocess.run(["rm", "-rf", str(folder)], check=False)
    sys.exit(f"{failed} of {len(todo)} went wrong" if failed else 0)


if __name__ == "__main__":
    main()

"""Searches on stand-in machines behind ssh, through what may happen to a cluster.

``python -m tests.cluster.campaign [--each 5] [--faults machine,cable,ssh,monitor,gcs,head] [--state FILE]``. Ray, its
autoscaler, ssh, Ray Tune, halving, checkpoints and journal are true; only the training is a stand-in that sleeps. One
cluster lives through all of it: in the midst of each deterministic search something is killed or cut, and the search
must end, or end once it is resumed, with every trial's score that one had to which nothing happened. Machines whose
head was killed must end by themselves, and in the end nothing of the cluster may be left. What went through is a line
of ``--state``, and is not done again.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from synthcity.cluster import autoscaling
from synthcity.cluster.folder import Folder, Head
from synthcity.cluster.head import down, up
from synthcity.cluster.notes import notes
from synthcity.cluster.plan import Plan
from synthcity.cluster.processes import marked
from synthcity.schema import build
from synthcity.search.journal.journal import JOURNAL, read_events
from synthcity.settings import Settings
from tests.cluster.fleet import Record, records
from tests.cluster.machine import missing
from tests.cluster.test_head import block, dashboard_of
from tests.waiting import until

ROOT = Path(__file__).parents[2]
BUDGET = {"trials": 8, "rungs": 4, "workers": 2, "deterministic": True, "generation": 4}
_RUNG_SECONDS = 1.0
_SEARCH_SECONDS = 600.0
_CUT_SECONDS = 10.0
_ALONE_SECONDS = 180.0  # within which machines whose head is gone have ended: Ray's minute, and their own end


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How one search went.

    Attributes:
        fault: what happened to it; empty for the undisturbed one.
        codes: exit codes of its sessions, the last of which must be 0.
        scores: how each trial ended, which must be as in the undisturbed search.
        lost: trials that were lost with their node or worker, and went on.
        seconds: from its begin to its end, a new head's start included.
        left: what of the cluster was there later than it may be.
    """

    fault: str
    codes: tuple[int, ...]
    scores: dict[str, str]
    lost: int
    seconds: float
    left: tuple[str, ...] = ()

    def is_right(self, expected: Outcome) -> bool:
        """Whether all held."""
        return self.codes[-1:] == (0,) and self.scores == expected.scores and not self.left

    @property
    def winner(self) -> str:
        """The best of those that were trained to their end."""
        ended = {name: told for name, told in self.scores.items() if told.startswith("completed")}
        return min(ended, key=lambda name: float(ended[name].split()[1]), default="nobody")


class Search:
    """A search stage in a process of its own, on the cluster of ``head``."""

    def __init__(self, folder: Path, cluster: Folder, *, trials: int = BUDGET["trials"]) -> None:
        self.folder, self._cluster, self._trials = folder, cluster, trials
        folder.mkdir()

    def start(self, head: Head) -> subprocess.Popen[bytes]:
        """Begin it, or go on with it."""
        told = {"budget": {**BUDGET, "trials": self._trials}, "dataset": {"seconds": _RUNG_SECONDS}}
        environment = {**self._cluster.environment(os.environ), "RAY_ADDRESS": head.gcs, "HOME": str(self.folder)}
        with (self.folder / "search.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "tests.search.drive", str(self.folder), json.dumps(told)],
                env={**environment, "PYTHONPATH": str(ROOT)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def count(self, *kinds: str) -> int:
        """How many events of these kinds its journal has."""
        path = self.folder / JOURNAL
        return sum(event["kind"] in kinds for event in read_events(path)) if path.exists() else 0

    @property
    def scores(self) -> dict[str, str]:
        """How each trial ended, by its id."""
        ended = [event for event in read_events(self.folder / JOURNAL) if event["kind"] == "trial_finished"]
        return {event["id"]: f"{event['status']} {event.get('score')}" for event in ended}


class Campaign:
    """One cluster, and what happens to it."""

    def __init__(self, home: Path) -> None:
        ports = block()
        head = {"ports": ports, "dashboard": dashboard_of(ports)}
        nodes = {"cpu": {"market": "local", "max_nodes": 2, "idle": "5m"}}  # whose provider is the fleet
        self.plan = build(Plan, {"name": "camp", "head": head, "nodes": nodes})
        self.home, self.folder = home, Folder(home / "camp")
        self.head = up(self.plan, self.folder, home)

    def run(self, fault: str, number: int) -> Outcome:
        """Run one search and do ``fault`` to it, each time a checkpoint later."""
        began, codes, orphans = time.monotonic(), list[int](), list[Record]()
        search = Search(self.home / f"{number:02d}-{fault or 'undisturbed'}", self.folder)
        child = search.start(self.head)
        if fault:
            until(lambda: search.count("checkpoint") > number % 5, seconds=_SEARCH_SECONDS, process=child)
            orphans = records(self.folder.path) if fault in ("gcs", "head") else []
            FAULTS[fault](self)
        hit = time.monotonic()
        codes.append(child.wait(_SEARCH_SECONDS))
        if codes[-1] != 0:
            if fault in ("gcs", "head"):
                until(lambda: self.folder.head is None)
                self.head = up(self.plan, self.folder, self.home)
            codes.append(search.start(self.head).wait(_SEARCH_SECONDS))
        seconds = time.monotonic() - began
        while any(one.is_alive for one in orphans) and time.monotonic() < hit + _ALONE_SECONDS:
            time.sleep(0.5)
        return Outcome(
            fault=fault,
            codes=tuple(codes),
            scores=search.scores,
            lost=search.count("node_lost", "worker_died"),
            seconds=seconds,
            left=tuple(f"machine {one.name}" for one in orphans if one.is_alive),
        )

    def end(self) -> list[str]:
        """End the cluster, and return what is left of it."""
        fleet = records(self.folder.path)
        down(self.folder, Settings())
        limit = time.monotonic() + _ALONE_SECONDS
        while any(one.is_alive for one in fleet) and time.monotonic() < limit:
            time.sleep(0.5)
        left = [f"machine {one.name}" for one in fleet if one.is_alive]
        left += [f"process {one.pid}" for one in marked("SYNTHCITY_CLUSTER", str(self.folder.path))]
        for one in fleet:
            one.kill()
        return left

    def process(self, *words: str) -> int:
        """Id of the process of the cluster whose arguments hold one of ``words``."""
        for process in marked("SYNTHCITY_CLUSTER", str(self.folder.path)):
            arguments = Path(f"/proc/{process.pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
            if any(word in arguments for word in words):
                return process.pid
        raise AssertionError(f"no process {words}")

    def node(self) -> Record:
        """A machine that is a node."""
        names = {one.name for one in notes(self.folder.path) if one.state == "joined"}
        return next(one for one in records(self.folder.path) if one.pid and one.name in names)


def kill_machine(campaign: Campaign) -> None:
    campaign.node().kill()


def cut_cable(campaign: Campaign) -> None:
    cable = campaign.node().cable
    subprocess.run(["ip", "link", "set", cable, "down"], check=True)
    time.sleep(_CUT_SECONDS)  # the fault itself
    subprocess.run(["ip", "link", "set", cable, "up"], check=True)


def kill_ssh(campaign: Campaign) -> None:
    os.kill(campaign.process("node.py follow"), signal.SIGKILL)


def kill_monitor(campaign: Campaign) -> None:
    os.kill(campaign.process("v2.monitor", "v2/monitor.py", "_private/monitor.py"), signal.SIGKILL)


def kill_gcs(campaign: Campaign) -> None:
    os.kill(campaign.process("gcs_server"), signal.SIGKILL)


def kill_head(campaign: Campaign) -> None:
    os.kill(campaign.head.process.pid, signal.SIGKILL)


FAULTS: dict[str, Callable[[Campaign], None]] = {
    "machine": kill_machine,
    "cable": cut_cable,
    "ssh": kill_ssh,
    "monitor": kill_monitor,
    "gcs": kill_gcs,
    "head": kill_head,
}


def table(outcomes: Sequence[Outcome]) -> list[str]:
    """Return what came of each fault, a line each; the undisturbed search is the first."""
    lines = ["fault        searches  right  resumed  trials that went on  s, median  longest"]
    for fault in dict.fromkeys(one.fault for one in outcomes):
        found = [one for one in outcomes if one.fault == fault]
        seconds = [one.seconds for one in found]
        lines.append(
            f"{fault or 'nothing':12} {len(found):8d} {sum(one.is_right(outcomes[0]) for one in found):6d} "
            f"{sum(len(one.codes) > 1 for one in found):8d} {sum(one.lost for one in found):20d} "
            f"{statistics.median(seconds):11.0f} {max(seconds):8.0f}"
        )
    return lines


def read_state(path: Path | None) -> list[Outcome]:
    """Return what went through before."""
    lines = path.read_text().splitlines() if path is not None and path.exists() else []
    told = [json.loads(line) for line in lines]
    return [Outcome(**{**one, "codes": tuple(one["codes"]), "left": tuple(one["left"])}) for one in told]


def main() -> None:
    """Run the campaign, and fail where something does not hold."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--each", type=int, default=5, help="searches for each fault")
    parser.add_argument("--faults", default=",".join(FAULTS), help=f"of {', '.join(FAULTS)}")
    parser.add_argument("--state", type=Path, help="file of what went through")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that nothing of it stays
    if lacking := missing():
        sys.exit(f"the campaign needs stand-in machines: {lacking}")
    autoscaling.PROVIDER = "tests.cluster.fleet.Provider"
    os.environ.update({"PYTHONPATH": str(ROOT), "RAY_health_check_failure_threshold": "20"})  # as of rented nodes
    outcomes = read_state(options.state)
    todo = ["", *(fault for _ in range(options.each) for fault in options.faults.split(","))][len(outcomes) :]
    home = Path(tempfile.mkdtemp(prefix="camp-"))
    campaign, began = Campaign(home), time.monotonic()
    try:
        for fault in todo:
            outcome = campaign.run(fault, len(outcomes))
            outcomes.append(outcome)
            if options.state is not None:
                with options.state.open("a") as state:
                    state.write(json.dumps(asdict(outcome)) + "\n")
            print(
                f"{fault or 'undisturbed':11} {'right' if outcome.is_right(outcomes[0]) else 'WRONG'} "
                f"{outcome.seconds:5.0f} s, exit codes {outcome.codes}, {outcome.lost} losses, {outcome.winner} won, "
                f"left {outcome.left}",
                flush=True,
            )
    finally:
        left = campaign.end()
    print("\n".join(table(outcomes)))
    print(f"left in the end: {left or 'nothing'}; {time.monotonic() - began:.0f} s; {home}")
    wrong = sum(not one.is_right(outcomes[0]) for one in outcomes)
    sys.exit(f"{wrong} of {len(outcomes)} went wrong" if wrong or left else 0)


if __name__ == "__main__":
    main()

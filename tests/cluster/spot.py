"""Searches on rented machines that come with demand, are taken back by the market, and go when idle.

``python -m tests.cluster.spot [--each 5]``: market and machines (namespaces with OpenSSH's server) are stand-ins, as is
the training; the lessor over HTTP, ssh, Ray's autoscaler and the search are true. One search of 16 trials is left
alone: how long until two machines are nodes? Then the market takes a machine back in the midst of each of the others,
which must end with every trial's score all the same. How long after the last one are all machines gone, and what did
each search cost by the ledger? Nothing may be left.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from synthcity.cluster.folder import Folder, Head
from synthcity.cluster.head import down, up
from synthcity.cluster.notes import notes
from synthcity.cluster.plan import Plan
from synthcity.cluster.processes import marked
from synthcity.rent import LEDGER, read_ledger
from synthcity.schema import build
from synthcity.search.journal.history import TrialHistory
from synthcity.search.journal.journal import JOURNAL, read_events
from synthcity.settings import Settings
from tests.cluster.campaign import ROOT, Search
from tests.cluster.landlord import Landlord
from tests.cluster.machine import POWER_OFF, missing
from tests.cluster.test_head import block, dashboard_of
from tests.standins.market import Running, running_market
from tests.waiting import until

IDLE, BOOT, TRIALS = 30.0, 180.0, 16
_SEARCH_SECONDS = 600.0
_SLACK = 30.0  # seconds that Ray's autoscaler may take beside


def plan() -> Plan:
    """Two places to work, and two more, since one that was taken back counts until lists have lacked it for minutes."""
    ports = block(4)
    cpu = {"market": "basilica", "max_nodes": 4, "max_hourly_rate": "0.20", "spot": "allow", "power_off": POWER_OFF}
    return build(
        Plan,
        {
            "name": "spot",
            "head": {"ports": ports, "dashboard": dashboard_of(ports)},
            "nodes": {"cpu": {**cpu, "idle": f"{IDLE:g}s", "boot": f"{BOOT:g}s"}},
            "limits": {"hourly": "0.80", "spend": "5.00"},
            "storage": "s3://synth-city/spot",
        },
    )


def joined(folder: Folder, market: Running) -> list[str]:
    """Names of the machines that are there and are nodes."""
    living = market.names()
    return [one.name for one in notes(folder.path) if one.state == "joined" and one.name in living]


def run(folder: Folder, market: Running, home: Path, each: int) -> list[str]:
    """Run all searches and return a sentence for each thing that does not hold."""
    head = up(plan(), folder, home)
    first = Search(home / "00", folder, trials=TRIALS)
    problems = _search(first, head, lambda child: _await_nodes(folder, market, child))
    for number in range(1, each + 1):
        search = Search(home / f"{number:02d}", folder, trials=TRIALS)
        problems += _search(search, head, partial(_lose, search, folder, market, number))
        problems += [] if search.scores == first.scores else [f"search {number} has other scores"]
    began = time.monotonic()
    until(lambda: market.names() == [], seconds=IDLE + 120.0)
    went = time.monotonic() - began
    print(f"all machines went {went:.0f} s after the last search, {IDLE:g} s of them idle", flush=True)
    return problems + (["they went late"] if went > IDLE + _SLACK else [])


def _await_nodes(folder: Folder, market: Running, child: subprocess.Popen[bytes]) -> str:
    began = time.monotonic()
    until(lambda: len(joined(folder, market)) == 2, seconds=BOOT + _SLACK, process=child)
    return f"two machines were nodes after {time.monotonic() - began:.0f} s"


def _lose(search: Search, folder: Folder, market: Running, number: int, child: subprocess.Popen[bytes]) -> str:
    until(lambda: search.count("checkpoint") > number, seconds=_SEARCH_SECONDS, process=child)
    market.take_back(joined(folder, market)[0])
    return "one machine was taken back"


def _search(search: Search, head: Head, meanwhile: Callable[[subprocess.Popen[bytes]], str]) -> list[str]:
    """Run a search to its end and say how it went."""
    began = time.monotonic()
    child = search.start(head)
    what = meanwhile(child)
    is_right = child.wait(_SEARCH_SECONDS) == 0 and len(search.scores) == TRIALS
    history = TrialHistory.replay(read_events(search.folder / JOURNAL))
    trials = sum(one.usd for one in history.records)
    print(
        f"{'right' if is_right else 'WRONG'} {time.monotonic() - began:4.0f} s, {what}, "
        f"{search.count('node_lost', 'worker_died')} losses, {history.cost.usd:.4f} USD by the ledger, "
        f"{trials:.4f} while trials trained",
        flush=True,
    )
    return [] if is_right else [f"{search.folder.name} went wrong"]


def main() -> None:
    """Run it, and fail where something does not hold."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--each", type=int, default=5, help="searches that lose a machine")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that nothing of it stays
    if lacking := missing():
        sys.exit(f"the campaign needs stand-in machines: {lacking}")
    os.environ["PYTHONPATH"] = str(ROOT)
    home = Path(tempfile.mkdtemp(prefix="spot-"))
    with running_market() as market, Landlord(market) as landlord:
        os.environ.update(market.environment)
        market.set(virtual=None, judge={"caps": {"cpu": 0.2}, "max_nodes": 4, "max_hourly": 0.8})
        folder = Folder(home / "spot")
        try:
            problems = run(folder, market, home, options.each)
        finally:
            down(folder, Settings.load())
        account, told = read_ledger(folder.path / LEDGER), market.state()
        left = [*market.names(), *(name for name, one in landlord.machines.items() if one.is_alive)]
        left += [f"process {one.pid}" for one in marked("SYNTHCITY_CLUSTER", str(folder.path))]
        left += [one.name for one in account.rentals if one.state != "gone"]
        print(
            f"{len(account.rentals)} rentals, {account.spent:.4f} USD by the ledger, {told['spent']:.4f} by the "
            f"market; left: {left or 'nothing'}; {home}"
        )
    problems += [f"left: {left}"] if left else []
    problems += told["judge"]["faults"]
    sys.exit("; ".join(problems) or 0)


if __name__ == "__main__":
    main()

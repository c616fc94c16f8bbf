"""The machines that a search runs on: waited for, counted, and what a trial on one of them costs."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import ray

from synthcity.cluster import job
from synthcity.cluster.local import Cluster
from synthcity.errors import DataError, RunError
from synthcity.market.times import format_duration
from synthcity.rates import Priced, rate
from synthcity.search.journal.recorder import Recorder

_LOOK_SECONDS = 5.0
_TELL_SECONDS = 300.0
_LEDGER_SECONDS = 60.0  # between two words of what was spent
_ANSWER_SECONDS = 2.0  # for a machine to take a connection
_RECENT_SECONDS = 60.0


class Fleet:
    """Tells the journal which machines there are, and what they cost by the hour."""

    def __init__(self, recorder: Recorder, cluster: Cluster) -> None:
        self._recorder = recorder
        self._cluster = cluster
        self._known: dict[str, Priced] = {}
        self._alive: dict[str, tuple[str, int]] = {}  # address and port of their Ray
        self._gone: dict[str, float] = {}  # since when
        self._told: dict[str, float] = {"machines": 1, "gpus": 0, "usd_per_hour": 0}  # which goes without saying
        self._problems: set[str] = set()
        self._spent_at = float("-inf")  # when it was told

    @property
    def is_elsewhere(self) -> bool:
        """Whether connections to machines may break that live on."""
        return self._cluster.is_elsewhere

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Look at once and, where machines come and go, every few seconds while the block goes on."""
        self._look()
        if not self._cluster.is_elsewhere:
            yield
            return
        ended = threading.Event()

        def look() -> None:
            while not ended.wait(_LOOK_SECONDS):
                with contextlib.suppress(Exception):  # Ray or the journal was lost, which others tell
                    self._look()

        thread = threading.Thread(target=look, name="synthcity-machines", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
            with contextlib.suppress(Exception):  # as above
                self._tell_spent()

    def wait(self) -> None:
        """Return once there is a machine for a trial; ask an autoscaler for all that trials may take."""
        wanted = self._cluster.resources
        gpus = wanted.get("gpu", 0.0)
        if any(self._known[node].cpus >= 1 and self._known[node].gpus >= gpus for node in self._alive):
            return
        each = "1 CPU" + (f" and {gpus:g} GPU" if gpus else "")
        message = f"no machine of the cluster has {each} for a trial; asking for {self._cluster.workers} and waiting"
        self._recorder.emit("stage", name="machines", message=message)
        begin = time.monotonic()
        ask = ray.remote(num_cpus=1, num_gpus=gpus, max_retries=-1)(_nothing)
        asked = [ask.remote() for _ in range(self._cluster.workers)]
        while not ray.wait(asked, num_returns=1, timeout=_TELL_SECONDS)[0]:
            for_long = format_duration(round(time.monotonic() - begin))
            message = f"still no machine with {each} after {for_long}; the cluster's own status says why"
            self._recorder.emit("stage", name="machines", message=message)

    def is_lost(self, node: str | None) -> bool:
        """Whether a machine has gone; for None, where a trial never told which it had, whether one did lately.

        Ray notices a machine that died after many seconds only, its workers at once; so it is asked itself.
        """
        self._look()
        if node is not None:
            return node not in self._alive or not _answers(self._alive[node])
        recent = time.monotonic() - _RECENT_SECONDS
        return any(when >= recent for when in self._gone.values()) or not all(map(_answers, self._alive.values()))

    def spent(self, node: str, seconds: float) -> dict[str, float]:
        """Return what a trial took in so many seconds: ``usd`` and ``gpu_seconds``, each where it is any."""
        held = self._cluster.resources
        gpus = held.get("gpu", 0.0)
        machine = self._known.get(node)
        usd = 0.0 if machine is None else machine.usd(seconds, cpus=held["cpu"], gpus=gpus)
        return {name: value for name, value in (("usd", usd), ("gpu_seconds", gpus * seconds)) if value}

    def _look(self) -> None:
        nodes: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
        alive = [node for node in nodes if node["Alive"]]
        for node in alive:
            if node["NodeID"] not in self._known:
                self._known[node["NodeID"]] = self._machine(node)
        before = self._alive
        self._alive = {node["NodeID"]: (node["NodeManagerAddress"], node["NodeManagerPort"]) for node in alive}
        gone = {node: time.monotonic() for node in before if node not in self._alive}
        self._gone = self._gone | gone  # a new one, since two threads look
        with_room = [machine for machine in map(self._known.__getitem__, self._alive) if machine.cpus or machine.gpus]
        told: dict[str, float] = {
            "machines": len(with_room),
            "gpus": sum(machine.gpus for machine in with_room),
            "usd_per_hour": round(sum(self._known[node].usd_per_hour for node in self._alive), 6),
        }
        if told != self._told:
            self._told = told
            self._recorder.emit("machines", **told)
        if time.monotonic() - self._spent_at >= _LEDGER_SECONDS:
            self._tell_spent()

    def _tell_spent(self) -> None:
        """Tell what was spent by the cluster's ledger, where it has one."""
        self._spent_at = time.monotonic()
        try:
            found = job.spent() if self._cluster.is_elsewhere else None
        except RunError as error:
            self._warn(f"{error}; what machines cost is told by their prices meanwhile")
            return
        if found is not None:
            self._recorder.emit("spent", cluster_usd=round(found.usd, 6), cluster_gpu_hours=round(found.gpu_hours, 6))

    def _warn(self, note: str) -> None:
        if note not in self._problems:
            self._problems.add(note)
            self._recorder.emit("degraded", note=note)

    def _machine(self, node: dict[str, Any]) -> Priced:
        has = node["Resources"]
        try:
            price = rate(node.get("Labels") or {})
        except DataError as error:
            price = 0.0
            self._warn(f"{error}; the cost of the run is told without that machine")
        return Priced(cpus=has.get("CPU", 0.0), gpus=has.get("GPU", 0.0), usd_per_hour=price)


def _answers(address: tuple[str, int]) -> bool:
    try:
        socket.create_connection(address, timeout=_ANSWER_SECONDS).close()
    except OSError:
        return False
    return True


def _nothing() -> None:
    """Be scheduled."""

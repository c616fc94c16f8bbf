"""A transport to machines that the market's stand-in rents: each is a raylet of this machine, at its own address."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from pathlib import Path

from synthcity.cluster.folder import Folder, ray_command
from synthcity.cluster.joining.transport import Reached
from synthcity.cluster.machines.raylets import _listens, node_environment
from synthcity.cluster.machines.rented import RentedMachines
from synthcity.cluster.plan import Plan
from synthcity.cluster.processes import end, marked
from synthcity.cluster.provider import Provider as _Provider
from synthcity.cluster.provider import joined
from synthcity.cluster.renting import open_lessor
from synthcity.rent import Market
from synthcity.settings import Settings
from tests.waiting import until

NODE = "RAY_CLOUD_INSTANCE_ID"


class Here:
    """See ``Transport``; one raylet is started after another, since two at once choose one socket."""

    def __init__(self, folder: Folder, plan: Plan) -> None:
        self._folder, self._plan = folder, plan
        self._lock = threading.Lock()
        self._left: set[str] = set()
        self._children: dict[str, subprocess.Popen[bytes]] = {}

    def join(self, machine: Reached) -> None:
        threading.Thread(target=self._join, args=(machine,), daemon=True).start()

    def leave(self, name: str) -> None:
        self._left.add(name)
        threading.Thread(target=end, args=(lambda: marked(NODE, name),), daemon=True).start()

    def failure(self, name: str) -> str:
        child = self._children.get(name)
        return "its raylet ended" if child is not None and child.poll() is not None else ""

    def close(self) -> None:
        pass

    def _join(self, machine: Reached) -> None:
        with self._lock:
            if machine.name in self._left or marked(NODE, machine.name):
                return
            head = self._folder.head
            assert head is not None
            ray = Path(head.ray) / machine.name.rpartition("-")[2][:6]
            ray.mkdir(exist_ok=True)
            arguments = [f"--address={machine.place.gcs}", f"--num-cpus={machine.cpus}", f"--num-gpus={machine.gpus}"]
            arguments += [f"--labels={name}={value}" for name, value in machine.labels.items()]
            with (self._folder.path / "nodes.log").open("ab") as log:
                child = self._children[machine.name] = subprocess.Popen(
                    [*ray_command(), *arguments, *machine.place.arguments, f"--temp-dir={ray}", "--block"],
                    env=node_environment(os.environ, machine.name, machine.kind, self._folder),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            until(lambda: _listens(machine.place) or child.poll() is not None, seconds=60)


def open_here(folder: Folder) -> RentedMachines:
    """As ``open_machines``, but for the transport."""
    plan, head, settings = folder.plan, folder.head, Settings.load()
    assert head is not None
    gcs = head.gcs
    lessor = open_lessor(plan, folder, settings, Market.of(settings))
    return RentedMachines(folder.path, plan, lessor, Here(folder, plan), lambda: joined(gcs), lambda: None).begin()


class Provider(_Provider):
    """What Ray's autoscaler is told to use."""

    def __init__(self, provider_config: dict[str, object], cluster_name: str) -> None:
        super().__init__(provider_config, cluster_name, open=open_here)


def told(config: dict[str, object]) -> dict[str, object]:
    """Return what the autoscaler is told, with this provider."""
    copy = json.loads(json.dumps(config))
    copy["provider"]["module"] = f"{Provider.__module__}.{Provider.__name__}"
    return copy

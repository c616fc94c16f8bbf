"""A market of stand-in machines for Ray's autoscaler: they come when nodes are asked for, and outlive whoever asked.

What is on the disk is the market's list: a machine is there as long as its first process runs.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from synthcity.cluster import provider
from synthcity.cluster.folder import Folder
from synthcity.cluster.joining.ssh import public_key
from synthcity.cluster.joining.transport import Reached
from synthcity.cluster.joining.tunnel import SshTransport
from synthcity.cluster.layout import Place
from synthcity.cluster.machines.machine import Machine as Listed
from synthcity.cluster.processes import Process
from synthcity.files import atomic_write
from tests.cluster.machine import POWER_OFF, Machine


@dataclass(frozen=True, kw_only=True)
class Record:
    """A machine as the market lists it; ``pid`` and ``began`` are of the process that holds its namespaces."""

    name: str
    kind: str
    request: str
    index: int
    host: str
    cable: str
    disk: str
    pid: int = 0
    began: int = 0

    @property
    def is_alive(self) -> bool:
        """Whether it runs, or is about to."""
        return self.pid == 0 or Process(self.pid, self.began).is_alive

    def kill(self) -> None:
        """Let it die at once."""
        with suppress(OSError, IndexError):
            first = int(Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()[0])
            if self.is_alive:
                os.kill(first, signal.SIGKILL)


def records(folder: Path) -> list[Record]:
    """Return what is listed in a cluster's folder."""
    found = []
    for path in sorted((folder / "fleet").glob("*.json")):
        with suppress(FileNotFoundError):
            found.append(Record(**json.loads(path.read_text())))
    return found


class Fleet:
    """See ``Machines``; begins with those that there are."""

    def __init__(self, folder: Folder) -> None:
        self._folder, self._plan = folder, folder.plan
        self._root = folder.path / "fleet"
        self._root.mkdir(exist_ok=True)
        self._transport = SshTransport(folder, self._plan)
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(4)
        for record in records(folder.path):
            if record.pid == 0:  # whoever asked for it was killed before it came
                self._path(record.name).unlink()
            else:
                self._transport.join(self._reached(record))

    def all(self) -> list[Listed]:
        found = []
        for record in records(self._folder.path):
            if not record.is_alive:
                self._transport.leave(record.name)
                self._path(record.name).unlink(missing_ok=True)
                shutil.rmtree(record.disk, ignore_errors=True)
                continue
            address = Place(record.index, self._plan.head.ports).address
            found.append(
                Listed(
                    name=record.name,
                    kind=record.kind,
                    request=record.request,
                    address=address,
                    is_up=record.pid > 0,
                )
            )
        return found

    def ask(self, kind: str, request: str) -> None:
        with self._lock:
            taken = {record.index for record in records(self._folder.path)}
            index = next(index for index in range(1, 33) if index not in taken)
            machine = Machine(index, public_key(self._folder))
            name = f"{self._plan.name}-{kind}-{secrets.token_hex(6)}"
            place = {"index": index, "host": machine.host, "cable": machine.cable, "disk": str(machine.disk)}
            self._write(Record(name=name, kind=kind, request=request, **place))
        self._pool.submit(self._boot, name, machine)

    def stop(self, name: str) -> None:
        self._pool.submit(self._end, name)

    def _boot(self, name: str, machine: Machine) -> None:
        machine.boot()
        process = Process.of(machine.pid)
        assert process is not None
        before = next(record for record in records(self._folder.path) if record.name == name)
        record = Record(**{**asdict(before), "pid": process.pid, "began": process.began})
        self._write(record)
        self._transport.join(self._reached(record))

    def _end(self, name: str) -> None:
        """As a market does: whatever the machine itself does meanwhile."""
        self._transport.leave(name)
        for record in records(self._folder.path):
            if record.name == name:
                threading.Event().wait(3.0)
                record.kill()

    def _reached(self, record: Record) -> Reached:
        place = Place(record.index, self._plan.head.ports)
        return Reached(
            name=record.name, kind=record.kind, place=place, host=record.host, user="root", power_off=POWER_OFF
        )

    def _path(self, name: str) -> Path:
        return self._root / f"{name}.json"

    def _write(self, record: Record) -> None:
        atomic_write(self._path(record.name), json.dumps(asdict(record)))


class Provider(provider.Provider):
    """The provider over such a fleet."""

    def __init__(self, provider_config: dict[str, Any], cluster_name: str) -> None:
        super().__init__(provider_config, cluster_name, open=Fleet)

"""Nodes that are processes of this machine."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import secrets
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from synthcity.cluster.folder import Folder, ray_command
from synthcity.cluster.layout import MOST_NODES, Place
from synthcity.cluster.machines.machine import Machine
from synthcity.cluster.plan import Plan
from synthcity.cluster.processes import Process, end, marked
from synthcity.errors import RunError
from synthcity.files import atomic_write
from synthcity.private import without_secrets

_NODE = "RAY_CLOUD_INSTANCE_ID"  # also how Ray's autoscaler knows a node again
_LONGEST_PAUSE = 60.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class _Record:
    """A node on the disk, from before it is started until all its processes are gone."""

    name: str
    kind: str
    request: str
    index: int
    owner: Process
    process: Process | None = None

    def to_json(self) -> str:
        return json.dumps(
            {
                **{"name": self.name, "kind": self.kind, "request": self.request, "index": self.index},
                "owner": [self.owner.pid, self.owner.began],
                "process": None if self.process is None else [self.process.pid, self.process.began],
            }
        )

    @classmethod
    def from_json(cls, text: str) -> _Record:
        data = json.loads(text)
        return cls(
            **{name: data[name] for name in ("name", "kind", "request", "index")},
            owner=Process(*data["owner"]),
            process=None if data["process"] is None else Process(*data["process"]),
        )


class LocalMachines:
    """Starts raylets, one after another, since two that start at once on one machine choose the same socket."""

    def __init__(self, folder: Folder, plan: Plan, *, command: tuple[str, ...] = ray_command()) -> None:
        """Args: ``command`` is what starts Ray; another one stands in for it in tests.

        Raises:
            RunError: the cluster has no head.
        """
        if (head := folder.head) is None:
            raise RunError(f"the cluster {plan.name} has no head, so no node can join it")
        self._root = Path(head.ray)
        self._folder, self._plan, self._command = folder, plan, command
        self._nodes = folder.path / "nodes"
        self._nodes.mkdir(exist_ok=True)
        self._lock = threading.Lock()
        self._stopping: set[str] = set()
        self._starter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="synthcity-start")
        self._stopper = ThreadPoolExecutor(max_workers=4, thread_name_prefix="synthcity-stop")
        self._children: dict[str, subprocess.Popen[bytes]] = {}  # of this process, which has to notice that they ended
        self._starts: dict[str, threading.Event] = {}  # set once a node is not being started any more
        self._failures = 0
        self._me = Process.of(os.getpid())
        self._ended = threading.Event()

    def all(self) -> list[Machine]:
        """See ``Machines``. A node whose process ended by itself goes, with what it left."""
        found = []
        for record in self._records():
            is_alive = (record.process or record.owner).is_alive
            if not is_alive:
                self.stop(record.name)
            found.append(
                Machine(
                    name=record.name,
                    kind=record.kind,
                    request=record.request,
                    address=self._place(record).address,
                    is_up=is_alive and record.process is not None,
                )
            )
        return found

    def ask(self, kind: str, request: str) -> None:
        """See ``Machines``."""
        assert self._me is not None
        with self._lock:
            taken = {record.index for record in self._records()}
            free = [index for index in range(1, MOST_NODES + 1) if index not in taken]
            if not free:
                raise RunError(f"the cluster {self._plan.name} has {MOST_NODES} nodes, and no address for another one")
            name = f"{self._plan.name}-{kind}-{secrets.token_hex(6)}"
            record = _Record(name=name, kind=kind, request=request, index=free[0], owner=self._me)
            self._write(record)
            self._starts[name] = threading.Event()
        self._starter.submit(self._start, record)

    def stop(self, name: str) -> None:
        """See ``Machines``."""
        with self._lock:
            if name in self._stopping or not self._path(name).exists():
                return
            self._stopping.add(name)
        self._stopper.submit(self._end, name)

    def close(self) -> None:
        """End all nodes and wait until they are gone."""
        self._ended.set()
        self._starter.shutdown(cancel_futures=True)
        for done in self._starts.values():  # also of those whose turn did not come
            done.set()
        for record in self._records():
            self.stop(record.name)
        self._stopper.shutdown()
        while self._children:  # of nodes that another process has ended
            self._children.popitem()[1].wait()

    def _start(self, record: _Record) -> None:
        """Start a node and wait until it listens; after a failure the next one is not tried at once."""
        try:
            if record.name in self._stopping or self._ended.is_set():
                return
            pause = 0.0 if not self._failures else min(_LONGEST_PAUSE, 2.0**self._failures)
            if self._ended.wait(pause) or record.name in self._stopping:
                return
            place = self._place(record)
            with (self._folder.path / "nodes.log").open("ab") as log:
                child = self._launch(record, place, log)
            self._children[record.name] = child
            process = Process.of(child.pid)
            self._write(replace(record, process=process))
            limit = time.monotonic() + self._plan.nodes[record.kind].boot
            while not _listens(place) and child.poll() is None and time.monotonic() < limit:
                if self._ended.wait(0.2) or record.name in self._stopping:
                    return
            if child.poll() is None and _listens(place):
                self._failures = 0
                return
            self._failures += 1
            _log.warning("node %s did not start; nodes.log has why", record.name)
            self.stop(record.name)
        except Exception:  # noqa: BLE001 (else nobody would be told, as this runs on a thread)
            _log.exception("node %s could not be started", record.name)
            self._failures += 1
            self.stop(record.name)
        finally:
            self._starts[record.name].set()

    def _launch(self, record: _Record, place: Place, log: BinaryIO) -> subprocess.Popen[bytes]:
        kind = self._plan.nodes[record.kind]
        # of its own: nodes that shared Ray's folder would remove the code of each other's jobs
        ray = self._ray(record.name)
        ray.mkdir()
        arguments = [f"--address={place.gcs}", f"--num-cpus={kind.cpus}", "--num-gpus=0", *place.arguments]
        arguments.append(f"--temp-dir={ray}")
        return subprocess.Popen(
            [*self._command, *arguments, "--block", "--disable-usage-stats"],
            env=node_environment(os.environ, record.name, record.kind, self._folder),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )

    def _end(self, name: str) -> None:
        try:
            if name in self._starts:  # else what is being started would come after its end
                self._starts[name].wait()
            first = next((record.process for record in self._records() if record.name == name), None)
            end(lambda: marked(_NODE, name), first=first)
            if name in self._children:
                self._children.pop(name).wait()
            shutil.rmtree(self._ray(name), ignore_errors=True)
            self._path(name).unlink(missing_ok=True)
        except Exception:  # noqa: BLE001 (as in _start)
            _log.exception("node %s could not be ended", name)
        finally:  # whoever asks again is heard
            with self._lock:
                self._stopping.discard(name)
                self._starts.pop(name, None)

    def _place(self, record: _Record) -> Place:
        return Place(record.index, self._plan.head.ports)

    def _ray(self, name: str) -> Path:
        return self._root / name.rpartition("-")[2][:6]  # short, since sockets lie below it

    def _records(self) -> list[_Record]:
        found = []
        for path in sorted(self._nodes.glob("*.json")):
            with contextlib.suppress(FileNotFoundError):  # gone meanwhile
                found.append(_Record.from_json(path.read_text(encoding="utf-8")))
        return found

    def _path(self, name: str) -> Path:
        return self._nodes / f"{name}.json"

    def _write(self, record: _Record) -> None:
        atomic_write(self._path(record.name), record.to_json())


def node_environment(environ: Mapping[str, str], name: str, kind: str, folder: Folder) -> dict[str, str]:
    """Return what a node's processes begin with: no secret, and nothing that tells Ray of another cluster."""
    return folder.environment(without_secrets(environ)) | {_NODE: name, "RAY_NODE_TYPE_NAME": kind}


def _listens(place: Place) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((place.address, place.first), timeout=1.0):
        return True
    return False

"""Nodes on machines that only ssh reaches: one connection to each carries the ports of all nodes, both ways.

A node has the same address and ports on every machine, see ``layout``; the connection listens at those of the others
and passes on what comes. A connection that goes is made again, and Ray keeps the node meanwhile for about a minute.
"""

from __future__ import annotations

import threading

from synthcity.cluster.folder import Folder
from synthcity.cluster.joining import ssh
from synthcity.cluster.joining.link import Link
from synthcity.cluster.joining.transport import Reached
from synthcity.cluster.layout import MOST_REACHED, Place
from synthcity.cluster.notes import Notes
from synthcity.cluster.plan import Plan
from synthcity.errors import ConfigError


class SshTransport:
    """See ``Transport``; ``notes`` tell of each machine."""

    def __init__(self, folder: Folder, plan: Plan) -> None:
        """Args: ``folder`` is the cluster's, ``plan`` what it was started with.

        Raises:
            ConfigError: OpenSSH is not installed, or the plan has too many nodes for it.
        """
        ssh.check_programs()
        count = sum(kind.max_nodes for kind in plan.nodes.values())
        if count > MOST_REACHED:
            raise ConfigError(f"a cluster with nodes behind ssh has {MOST_REACHED} nodes at most, got {count}")
        (folder.path / "ssh").mkdir(exist_ok=True, mode=0o700)
        self._folder, self._plan = folder, plan
        self._places = [Place(index, plan.head.ports) for index in range(count + 1)]
        self._notes = Notes(folder)
        self._lock = threading.Lock()
        self._links: dict[str, Link] = {}

    def join(self, machine: Reached) -> None:
        """See ``Transport``."""
        with self._lock:
            if machine.name in self._links:
                return
            peers = [place for place in self._places if place != machine.place]
            link = Link(machine, self._folder, self._plan, peers, self._notes)
            self._links[machine.name] = link
        link.start()

    def leave(self, name: str) -> None:
        """See ``Transport``."""
        with self._lock:
            link = self._links.pop(name, None)
        if link is not None:
            link.part(for_good=True)

    def failure(self, name: str) -> str:
        """See ``Transport``."""
        with self._lock:
            link = self._links.get(name)
        return "" if link is None else link.failure

    def close(self) -> None:
        """See ``Transport``."""
        with self._lock:
            links = list(self._links.values())
            self._links.clear()
        for link in links:
            link.part(for_good=False)
        for link in links:
            link.join()

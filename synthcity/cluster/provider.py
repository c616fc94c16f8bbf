"""Ray's autoscaler asks here for nodes, and hands back those that it does not need.

It runs in the autoscaler's process and is called from several of its threads. ``non_terminated_nodes`` is the
autoscaler's whole knowledge: what it lists is adopted, also after a restart of the head, and a node that it does not
list within ten minutes is asked for once more. So a machine is listed from before it is asked for until it is gone.
The head is listed, too: without one that is known to run, nothing is ever asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ray.autoscaler.node_provider import NodeProvider
from ray.autoscaler.tags import (
    NODE_KIND_HEAD,
    NODE_KIND_WORKER,
    STATUS_UP_TO_DATE,
    TAG_RAY_LAUNCH_REQUEST,
    TAG_RAY_NODE_KIND,
    TAG_RAY_NODE_STATUS,
    TAG_RAY_USER_NODE_TYPE,
)
from ray.autoscaler.v2.sdk import get_cluster_status

from synthcity.cluster.autoscaling import HEAD
from synthcity.cluster.folder import Folder
from synthcity.cluster.joining.tunnel import SshTransport
from synthcity.cluster.layout import Place
from synthcity.cluster.machines.machine import Machine, Machines
from synthcity.cluster.machines.raylets import LocalMachines
from synthcity.cluster.machines.rented import RentedMachines
from synthcity.cluster.renting import check_reaper, open_lessor
from synthcity.errors import RunError
from synthcity.rent import Market
from synthcity.settings import Settings

_ANSWER_SECONDS = 10


def open_machines(folder: Folder) -> Machines:
    """Return what the nodes of a cluster run on.

    Raises:
        ConfigError: nodes are rented, and the environment lacks what that needs.
        RunError: the cluster has no head, or another process rents for it.
    """
    plan, head = folder.plan, folder.head
    if not plan.is_rented:
        return LocalMachines(folder, plan)
    if head is None:
        raise RunError(f"the cluster {plan.name} has no head, so no node can join it")
    settings = Settings.load()
    lessor = open_lessor(plan, folder, settings, Market.of(settings))
    gcs, heartbeat = head.gcs, Path(head.heartbeat) if head.heartbeat else None
    return RentedMachines(
        folder.path,
        plan,
        lessor,
        SshTransport(folder, plan),
        lambda: joined(gcs),
        lambda: check_reaper(plan, settings, heartbeat),
    ).begin()


def joined(gcs: str) -> set[str]:
    """Return the machines whose nodes live, as the control store at this address tells.

    Raises:
        RunError: it does not tell.
    """
    try:
        told = get_cluster_status(gcs, timeout=_ANSWER_SECONDS)
    except Exception as error:
        raise RunError(f"the control store at {gcs} does not tell which nodes live: {error}") from error
    return {node.instance_id for node in (*told.active_nodes, *told.idle_nodes)}


class Provider(NodeProvider):
    """See the module; the methods are those of Ray's ``NodeProvider`` that its autoscaler v2 calls."""

    def __init__(
        self,
        provider_config: dict[str, Any],
        cluster_name: str,
        *,
        open: Callable[[Folder], Machines] = open_machines,
    ) -> None:
        """Args: ``provider_config`` has the cluster's ``folder``."""
        super().__init__(provider_config, cluster_name)
        folder = Folder(Path(str(provider_config["folder"])))
        self._machines = open(folder)
        plan = folder.plan
        self._kinds = frozenset(plan.nodes)
        address = Place(0, plan.head.ports).address
        self._head = Machine(name=HEAD, kind=HEAD, request="", address=address, is_up=True)
        self._known = {HEAD: self._head}

    def non_terminated_nodes(self, tag_filters: Mapping[str, str]) -> list[str]:
        """Return the names of all machines; one of a kind that the plan lacks would stop all scaling."""
        machines = [self._head, *(machine for machine in self._machines.all() if machine.kind in self._kinds)]
        self._known = {machine.name: machine for machine in machines}
        tags = {name: self.node_tags(name) for name in self._known}
        return [name for name in self._known if tag_filters.items() <= tags[name].items()]

    def is_running(self, node_id: str) -> bool:
        """Whether a machine is there."""
        machine = self._known.get(node_id)
        return machine is not None and machine.is_up

    def is_terminated(self, node_id: str) -> bool:
        """Whether a machine is gone."""
        return node_id not in self._known

    def node_tags(self, node_id: str) -> dict[str, str]:
        """Return what the autoscaler wants to know of a machine."""
        machine = self._known[node_id]
        tags = {
            TAG_RAY_NODE_KIND: NODE_KIND_HEAD if machine is self._head else NODE_KIND_WORKER,
            TAG_RAY_USER_NODE_TYPE: machine.kind,
            TAG_RAY_NODE_STATUS: STATUS_UP_TO_DATE,
        }
        return tags | ({TAG_RAY_LAUNCH_REQUEST: machine.request} if machine.request else {})

    def set_node_tags(self, node_id: str, tags: Mapping[str, str]) -> None:
        """Keep nothing: all that counts is told by the machines."""

    def internal_ip(self, node_id: str) -> str:
        """Return the address of a machine's node."""
        return self._known[node_id].address

    def external_ip(self, node_id: str) -> str:
        """Return the address of a machine's node."""
        return self._known[node_id].address

    def create_node_with_resources_and_labels(
        self,
        node_config: Mapping[str, object],
        tags: Mapping[str, str],
        count: int,
        resources: Mapping[str, float],
        labels: Mapping[str, str],
    ) -> None:
        """Ask for machines."""
        for _ in range(count):
            self._machines.ask(tags[TAG_RAY_USER_NODE_TYPE], tags.get(TAG_RAY_LAUNCH_REQUEST, ""))

    def create_node(self, node_config: Mapping[str, object], tags: Mapping[str, str], count: int) -> Any:
        """Ask for machines."""
        self.create_node_with_resources_and_labels(node_config, tags, count, {}, {})

    def terminate_node(self, node_id: str) -> None:
        """Hand a machine back."""
        self._machines.stop(node_id)

    def terminate_nodes(self, node_ids: list[str]) -> None:
        """Hand machines back."""
        for name in node_ids:
            self._machines.stop(name)

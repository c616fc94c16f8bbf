"""What a cluster that is up has, does and waits for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from synthcity.cluster.autoscaling import HEAD
from synthcity.cluster.folder import Folder, Head
from synthcity.cluster.notes import Note, notes
from synthcity.errors import Fatal
from synthcity.private import environment

_ANSWER_SECONDS = 10


@dataclass(frozen=True, kw_only=True)
class Node:
    """One node.

    Attributes:
        name: of its machine.
        kind: as the cluster file names it.
        state: ``busy``, ``idle`` or ``starting``.
        address: its own; empty until it has joined.
        cpus, gpus: in all.
        used_cpus, used_gpus: of these.
    """

    name: str
    kind: str
    state: str
    address: str = ""
    cpus: float = 0.0
    gpus: float = 0.0
    used_cpus: float = 0.0
    used_gpus: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Job:
    """A job that was submitted; ``state`` in Ray's words, such as ``RUNNING``."""

    id: str
    state: str
    command: str


@dataclass(frozen=True, kw_only=True)
class Status:
    """A cluster at one moment.

    ``waiting`` tells tasks and trials that have no node yet, by what they need; ``machines`` what is known of machines
    behind ssh that are to be nodes, or failed to be; ``is_kept`` whether the autoscaler is kept running.
    """

    nodes: tuple[Node, ...]
    waiting: tuple[tuple[str, int], ...]
    jobs: tuple[Job, ...]
    machines: tuple[Note, ...] = ()
    is_kept: bool = True


def status(folder: Folder, head: Head) -> Status:
    """Ask a cluster.

    Raises:
        Fatal: it does not answer.
    """
    jobs = _jobs(folder, head)
    with environment(folder.variables):  # Ray reads them when it is imported
        from ray.autoscaler.v2.sdk import get_cluster_status

        try:
            found = get_cluster_status(head.gcs, timeout=_ANSWER_SECONDS)
        except Exception as error:
            raise Fatal(f"the head at {head.gcs} does not answer: {error}") from error
    states = ((found.active_nodes, "busy"), (found.idle_nodes, "idle"), (found.pending_nodes, "starting"))
    nodes = tuple(
        _node(node.instance_id, node.ray_node_type_name, state, node.ip_address or "", node.total_resources(), used)
        for group, state in states
        for node in group
        for used in [node.used_resources()]
        if node.ray_node_type_name != HEAD
    )
    starting = tuple(
        Node(name="", kind=launch.ray_node_type_name, state="asked for")
        for launch in found.pending_launches
        for _ in range(launch.count)
    )
    demands = found.resource_demands
    waiting = Counter[str]()
    for demand in (*demands.ray_task_actor_demand, *demands.placement_group_demand):
        for bundle in demand.bundles_by_count:
            waiting[_needs(bundle.bundle)] += bundle.count
    return Status(
        nodes=(*nodes, *starting),
        waiting=tuple(sorted(waiting.items())),
        jobs=jobs,
        machines=tuple(notes(folder.path)),
        is_kept=folder.is_kept,
    )


def _node(
    name: str, kind: str, state: str, address: str, total: Mapping[str, float], used: Mapping[str, float]
) -> Node:
    return Node(
        name=name,
        kind=kind,
        state=state,
        address=address,
        cpus=total.get("CPU", 0.0),
        gpus=total.get("GPU", 0.0),
        used_cpus=used.get("CPU", 0.0),
        used_gpus=used.get("GPU", 0.0),
    )


def _needs(bundle: Mapping[str, float]) -> str:
    return ", ".join(f"{amount:g} {name}" for name, amount in sorted(bundle.items())) or "nothing"


def _jobs(folder: Folder, head: Head) -> tuple[Job, ...]:
    try:
        headers = {"Authorization": f"Bearer {folder.token.read_text(encoding='utf-8')}"}
        with httpx.Client(headers=headers, timeout=_ANSWER_SECONDS, trust_env=False) as client:
            answer = client.get(f"{head.url}/api/jobs/")
        answer.raise_for_status()
        rows = [row for row in answer.json() if row.get("submission_id")]
        return tuple(
            Job(id=row["submission_id"], state=row["status"], command=row["entrypoint"])
            for row in sorted(rows, key=lambda row: row.get("start_time") or 0)
        )
    except (httpx.HTTPError, OSError) as error:
        raise Fatal(f"the dashboard at {head.url} does not answer: {error}") from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Fatal(f"what answers at {head.url} is no dashboard of Ray's") from error

"""What Ray's autoscaler is told of a plan.

A provider that is not Ray's own gets no defaults: a key that is missing ends the autoscaler while everything else goes
on, and no node ever comes. So all of them are here.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from synthcity.cluster.layout import Place
from synthcity.cluster.plan import Plan

PROVIDER = "synthcity.cluster.provider.Provider"
HEAD = "head"
WAIT = 600.0  # seconds for which a machine may be looked for at the market, before it is asked for anew
_LISTS = (
    *("cluster_synced_files", "rsync_exclude", "rsync_filter", "initialization_commands", "setup_commands"),
    *("head_setup_commands", "worker_setup_commands", "head_start_ray_commands", "worker_start_ray_commands"),
)


def autoscaling(plan: Plan, folder: Path) -> dict[str, object]:
    """Return the autoscaler's file; ``folder`` is the cluster's own, from which the provider reads the rest."""
    kinds: dict[str, object] = {
        name: {
            "min_workers": 0,
            "max_workers": kind.max_nodes,
            "resources": kind.resources,
            "node_config": {},
            "idle_timeout_s": kind.idle,
        }
        for name, kind in plan.nodes.items()
    }
    return {
        "cluster_name": plan.name,
        "max_workers": sum(kind.max_nodes for kind in plan.nodes.values()),
        "idle_timeout_minutes": max(kind.idle for kind in plan.nodes.values()) / 60,
        "upscaling_speed": 1.0,
        "provider": {
            "type": "external",
            "module": PROVIDER,
            "folder": str(folder),
            "disable_node_updaters": True,
            "disable_launch_config_check": True,
            "worker_liveness_check": False,
            "foreground_node_launch": False,
        },
        "available_node_types": {
            HEAD: {"min_workers": 0, "max_workers": 0, "resources": {"CPU": 0}, "node_config": {}},
            **kinds,
        },
        "head_node_type": HEAD,
        "auth": {},
        "docker": {},
        "file_mounts": {},
        "file_mounts_sync_continuously": False,
        **{name: [] for name in _LISTS},
    }


def variables(plan: Plan) -> Mapping[str, str]:
    """Return the environment variables of the head that bear on how nodes come and go."""
    boot = max(kind.boot for kind in plan.nodes.values()) + (WAIT if plan.is_rented else 0.0)
    return {
        "RAY_enable_autoscaler_v2": "1",
        "RAY_CLOUD_INSTANCE_ID": HEAD,
        "RAY_NODE_TYPE_NAME": HEAD,
        "AUTOSCALER_METRIC_PORT": str(Place(0, plan.head.ports).ports[-1]),
        # a node that does not join would otherwise be left alone for an hour; what is rented ends itself before
        "RAY_AUTOSCALER_RECONCILE_ALLOCATE_STATUS_TIMEOUT_S": str(int(boot)),
        # one that is no longer wanted is not waited for
        "RAY_AUTOSCALER_PENDING_NODE_IDLE_TIMEOUT_S": "120",
        # a connection that went is made again within the minute that nodes themselves wait for their head
        **({"RAY_health_check_failure_threshold": "20"} if plan.is_rented else {}),
    }

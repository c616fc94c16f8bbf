from __future__ import annotations

from pathlib import Path

import pytest

from synthcity.cluster.autoscaling import autoscaling
from synthcity.cluster.folder import Folder
from synthcity.cluster.plan import Plan
from synthcity.schema import build
from tests.ports import free_ports


@pytest.fixture
def plan() -> Plan:
    """Two kinds of local nodes on ports that nobody has."""
    data = {
        "name": "tests",
        "head": {"ports": free_ports(1)[0], "dashboard": 1024},
        "nodes": {"cpu": {"market": "local", "max_nodes": 2}, "big": {"market": "local", "cpus": 2}},
    }
    return build(Plan, data)


@pytest.fixture
def folder(tmp_path: Path, plan: Plan) -> Folder:
    """The folder of a cluster whose head was not started."""
    made = Folder(tmp_path / "state" / plan.name)
    made.path.mkdir(parents=True)
    made.write(plan, autoscaling(plan, made.path), "its-token")
    return made

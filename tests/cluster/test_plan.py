from __future__ import annotations

from pathlib import Path

import pytest

from synthcity.cluster.plan import load_plan
from synthcity.errors import ConfigError

ROOT = Path(__file__).parents[2]
GOOD = """name: two
head: {ports: 7000, dashboard: 8265}
nodes:
  cpu: {market: local, cpus: 2, max_nodes: 3, idle: 90s}
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "cluster.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_packaged_local_cluster_is_two_small_nodes() -> None:
    plan = load_plan(ROOT / "clusters/local.yaml")
    assert {name: (kind.market, kind.max_nodes, kind.idle) for name, kind in plan.nodes.items()} == {
        "cpu": ("local", 2, 60.0)
    }


def test_what_is_left_out_has_a_default(tmp_path: Path) -> None:
    plan = load_plan(written(tmp_path, "name: a\nnodes: {cpu: {market: local}}"))
    assert (plan.head.ports, plan.head.dashboard, plan.nodes["cpu"].idle) == (7000, 8265, 300.0)


def test_every_mistake_is_told_at_once_each_with_its_line(tmp_path: Path) -> None:
    text = """name: Two Words
head: {ports: 80}
nodes:
  cpu: {market: lokal, idle: 90}
  gpu: {cpus: 0, nodes: 3}
limit: 1
"""
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as error:
        load_plan(path)
    lines = str(error.value).splitlines()
    assert [line.split(": ")[0].rpartition(", ")[2] for line in lines] == [
        *("line 6", "line 1", "line 4", "line 4", "line 5", "line 5", "line 5", "line 2")
    ]
    assert all(line.startswith(f"{path}, line ") for line in lines)
    assert [word in str(error.value) for word in ("'lokal'", "'limit'", "nodes.gpu.market is missing", "90")] == [
        True
    ] * 4


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("max_nodes: 3", "max_nodes: 33"), "nodes.cpu.max_nodes must be at most 32, got 33"),
        (("idle: 90s}", "idle: 90s}\n  b: {market: local, max_nodes: 30}"), "nodes may be 32 at most in all, got 33"),
        (("cpu:", "head:"), "line 4: a kind of node is 1 to 12 small letters and digits, and not head, got 'head'"),
        (("cpu:", "c-p:"), "got 'c-p'"),
        (("dashboard: 8265", "dashboard: 7301"), "head.dashboard must lie outside 7000 to 7399"),
        (("ports: 7000", "ports: 65400"), "head.ports must leave 100 ports for each node, got 65400"),
        (("  cpu: {market: local, cpus: 2, max_nodes: 3, idle: 90s}", "  {}"), "at least one kind of node"),
        (("name: two", "name: two\nname: three"), "stands twice"),
        (("name: two", "apiVersion: ray.io/v1\nname: two"), "kubectl apply -f"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_remedy(tmp_path: Path, change: tuple[str, str], words: str) -> None:
    with pytest.raises(ConfigError, match=r"(?s).*") as error:
        load_plan(written(tmp_path, GOOD.replace(*change)))
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_a_sweep_file_is_told_apart() -> None:
    with pytest.raises(ConfigError, match="is a sweep file, not a cluster file"):
        load_plan(ROOT / "configs/quickstart.yaml")

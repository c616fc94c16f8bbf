from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from synthcity.cluster.plan import Plan, load_plan
from synthcity.documents import parse_yaml, write_yaml
from synthcity.errors import ConfigError
from synthcity.rent import Limits
from synthcity.schema import build, plain

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
        (("name: two", "name: two\nlimits: {hourly: 1, spend: 2}"), "line 2: limits are of rented nodes"),
        (("name: two", "apiVersion: ray.io/v1\nname: two"), "kubectl apply -f"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_remedy(tmp_path: Path, change: tuple[str, str], words: str) -> None:
    with pytest.raises(ConfigError, match=r"(?s).*") as error:
        load_plan(written(tmp_path, GOOD.replace(*change)))
    assert words in str(error.value)
    assert "\n" not in str(error.value)


RENTED = """name: syntha
nodes:
  gpu: {market: basilica, gpus: [NVIDIA A100 80GB, RTX A6000], max_nodes: 4, spot: allow, max_hourly_rate: 1.50}
limits: {hourly: 4.00, spend: 60}
storage: s3://synth-city/clusters/syntha
"""


def test_rented_nodes_have_what_the_market_is_asked_for(tmp_path: Path) -> None:
    plan = load_plan(written(tmp_path, RENTED))
    (kind,) = plan.node_types
    assert (kind.name, kind.gpus, kind.max_nodes, kind.spot) == ("gpu", ("A100", "RTX A6000"), 4, "allow")
    assert (kind.max_hourly_rate, kind.cpus, kind.boot, kind.max_lease) == (Decimal("1.5"), 1, 900.0, 43200.0)
    assert plan.limits == Limits(hourly=Decimal("4.0"), spend=Decimal(60))
    assert build(Plan, parse_yaml(write_yaml(plain(plan)), "what was written")) == plan  # as a head reads it


def test_every_mistake_of_rented_nodes_is_told_at_once_each_with_its_line(tmp_path: Path) -> None:
    text = """name: syntha
nodes:
  gpu: {market: basilica, gpus: A100, max_nodes: 0, spot: maybe}
  own: {market: local, max_hourly_rate: 2, spot: only}
  one: {market: basilica, max_hourly_rate: "1,5"}
storage: /mnt/vault
"""
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as error:
        load_plan(path)
    lines = [line.removeprefix(f"{path}, line ") for line in str(error.value).splitlines()]
    assert lines == [
        "3: nodes.gpu.max_nodes must be at least 1, got 0",
        "3: nodes.gpu.gpus must be a list of GPUs such as [A100, RTX A6000], got 'A100'",
        "3: nodes.gpu.spot: unknown value 'maybe'; valid: allow, never, only",
        "5: nodes.one.max_hourly_rate must be USD, more than 0 and at most 1,000,000, such as 1.50, got '1,5'",
        "6: storage must be s3://bucket/prefix, since what lies on this machine alone goes with it, got '/mnt/vault'",
        "2: nodes must all be local or all be rented; make two clusters of them",
        "3: nodes.gpu.max_hourly_rate is missing: USD an hour that one whole machine may cost, such as 1.50",
        "4: nodes.own.spot is for rented nodes; leave it out",
        "4: nodes.own.max_hourly_rate is for rented nodes; leave it out",
        "2: limits is missing: USD of all rented nodes together, such as {hourly: 4.00, spend: 60.00}",
    ]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("gpus: [NVIDIA A100 80GB, RTX A6000]", "count: 4"), "line 3: nodes.gpu.count is of GPUs; name some in gpus"),
        (("1.50}", '1.50, prepare: "a\\0b"}'), "line 3: nodes.gpu.prepare must be text without a zero byte"),
        (("1.50}", "1.50, power_off: 5}"), "line 3: nodes.gpu.power_off must be text without a zero byte"),
    ],
)
def test_what_would_cost_money_in_vain_is_refused(tmp_path: Path, change: tuple[str, str], words: str) -> None:
    with pytest.raises(ConfigError) as error:
        load_plan(written(tmp_path, RENTED.replace(*change)))
    assert words in str(error.value)


def test_more_machines_than_a_transport_reaches_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nodes may be 12 at most in all where they are rented, got 13"):
        load_plan(written(tmp_path, RENTED.replace("max_nodes: 4", "max_nodes: 13")))


@pytest.mark.parametrize(
    "amount", ["0", "-1", ".nan", "true", "'1,5'", ".inf", "[1]", "'1e-999999'", "'1_0'", "'\u0661'"]
)
def test_a_cap_that_is_no_amount_is_refused(tmp_path: Path, amount: str) -> None:
    with pytest.raises(ConfigError, match=r"line 3: nodes\.gpu\.max_hourly_rate must be USD, more than 0"):
        load_plan(written(tmp_path, RENTED.replace("1.50}", f"{amount}}}")))


def test_a_sweep_file_is_told_apart() -> None:
    with pytest.raises(ConfigError, match="is a sweep file, not a cluster file"):
        load_plan(ROOT / "configs/quickstart.yaml")

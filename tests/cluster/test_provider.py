from __future__ import annotations

import contextlib
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from ray.autoscaler.v2.instance_manager.config import AutoscalingConfig, IConfigReader
from ray.autoscaler.v2.instance_manager.node_provider import NodeProviderAdapter
from ray.core.generated.instance_manager_pb2 import NodeKind

from synthcity.cluster import provider
from synthcity.cluster.autoscaling import autoscaling
from synthcity.cluster.folder import Folder
from synthcity.cluster.machines.machine import Machine
from synthcity.cluster.machines.rented import WAITING, RentedMachines
from synthcity.cluster.plan import Plan
from synthcity.cluster.provider import Provider, open_machines
from synthcity.errors import RunError
from synthcity.rent import LEDGER, read_ledger
from synthcity.schema import build
from tests.cluster.machines.test_rented import PLAN
from tests.cluster.test_folder import head
from tests.rent.conftest import _server, server  # noqa: F401
from tests.standins.market import Running
from tests.waiting import until


@dataclass
class Told:
    """Machines that come at once and keep what they were asked for."""

    machines: dict[str, Machine] = field(default_factory=dict)
    refuses: bool = False

    def all(self) -> list[Machine]:
        return list(self.machines.values())

    def ask(self, kind: str, request: str) -> None:
        if self.refuses:
            raise RunError("no machine costs so little")
        name = f"tests-{kind}-{len(self.machines):012x}"
        self.machines[name] = Machine(name=name, kind=kind, request=request, address="127.0.1.9", is_up=False)

    def stop(self, name: str) -> None:
        self.machines.pop(name, None)


class Reader(IConfigReader):
    def __init__(self, config: AutoscalingConfig) -> None:
        self._config = config

    def get_cached_autoscaling_config(self) -> AutoscalingConfig:
        return self._config

    def refresh_cached_autoscaling_config(self) -> None:
        pass


def adapter(folder: Folder, plan: Plan, machines: Told) -> NodeProviderAdapter:
    """What Ray's autoscaler v2 puts around a provider."""
    config = AutoscalingConfig(autoscaling(plan, folder.path))
    provider = Provider(config.get_provider_config(), plan.name, open=lambda _: machines)
    return NodeProviderAdapter(provider, Reader(config))


def test_what_the_autoscaler_launches_it_finds_again_by_its_request(folder: Folder, plan: Plan) -> None:
    machines = Told()
    cloud = adapter(folder, plan, machines)
    assert {name: one.node_kind for name, one in cloud.get_non_terminated().items()} == {"head": NodeKind.HEAD}
    cloud.launch({"cpu": 2, "big": 1}, "request-1")
    until(lambda: len(machines.machines) == 3, seconds=10)
    found = {name: one for name, one in cloud.get_non_terminated().items() if name != "head"}
    assert sorted(one.node_type for one in found.values()) == ["big", "cpu", "cpu"]
    assert {(one.request_id, one.is_running) for one in found.values()} == {("request-1", False)}
    assert {one.node_kind for one in found.values()} == {NodeKind.WORKER}
    cloud.terminate(list(found)[:2], "request-2")
    until(lambda: len(machines.machines) == 1, seconds=10)
    assert len(cloud.get_non_terminated()) == 2


def test_a_machine_of_a_kind_that_the_plan_lacks_does_not_stop_all_scaling(folder: Folder, plan: Plan) -> None:
    machines = Told()
    machines.ask("gpu", "")
    machines.ask("cpu", "")  # adopted after a restart: nobody knows the request any more
    found = adapter(folder, plan, machines).get_non_terminated()
    assert sorted(one.node_type for one in found.values()) == ["cpu", "head"]
    assert {one.request_id for one in found.values()} == {""}


def test_a_plan_of_rented_nodes_is_served_by_its_lessor_over_ssh(
    folder: Folder,
    server: Running,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    server.set(virtual=None)
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    folder.write(build(Plan, PLAN), {}, "its-token")
    with pytest.raises(RunError, match="has no head"):
        open_machines(folder)
    folder.write_head(replace(head(), heartbeat=str(tmp_path / "reaper.json")))
    machines = open_machines(folder)
    with contextlib.closing(machines):
        machines.ask("cpu", "one")
        until(lambda: "no reaper has reported" in (folder.path / WAITING).read_text(), seconds=20)
        assert server.names() == []
    folder.write_head(head())
    machines = open_machines(folder)
    assert isinstance(machines, RentedMachines)
    with contextlib.closing(machines):
        machines.ask("cpu", "one")
        until(lambda: server.names() == [machines.all()[0].name], seconds=20)
        (rental,) = read_ledger(folder.path / LEDGER).rentals
        assert (rental.place, rental.request) == (1, "one")
        machines.stop(rental.name)
        until(lambda: server.names() == [], seconds=20)


def test_a_control_store_that_does_not_tell_who_lives_says_that_and_not_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def silent(*_: object, **__: object) -> None:
        raise TimeoutError("deadline exceeded")

    monkeypatch.setattr(provider, "get_cluster_status", silent)
    with pytest.raises(RunError, match=r"127.0.1.1:7006 does not tell which nodes live: deadline exceeded"):
        provider.joined("127.0.1.1:7006")


def test_a_refusal_reaches_the_autoscaler_as_an_error_of_its_request(folder: Folder, plan: Plan) -> None:
    cloud = adapter(folder, plan, Told(refuses=True))
    cloud.launch({"cpu": 1}, "request-1")
    errors = []
    until(lambda: errors.extend(cloud.poll_errors()) or errors, seconds=10)
    assert [(error.request_id, str(error.__cause__)) for error in errors] == [
        ("request-1", "no machine costs so little")
    ]

"""The contract of the stand-in, held against the vendor's own client."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from basilica import BasilicaClient

from synthcity.rent.gpus import normalise
from tests.rent.builders import NAME, PUBLIC_KEY
from tests.standins.account import gpu_offer
from tests.standins.market import TOKEN, Running, running_market


@pytest.fixture(scope="module")
def _server() -> Iterator[Running]:
    with running_market() as found:
        yield found


@pytest.fixture
def server(_server: Running) -> Running:
    _server.reset()
    return _server


@pytest.fixture
def client(server: Running) -> BasilicaClient:
    return BasilicaClient(server.url, TOKEN)


def test_a_machine_with_a_gpu_is_found_started_listed_and_stopped(server: Running, client: BasilicaClient) -> None:
    offers = {one.id: one for one in client.list_secure_cloud_gpus()}
    eight = offers["cyan-a100-x8"]
    assert (eight.gpu_type, eight.gpu_count, eight.hourly_rate) == ("A100", 8, "1.00")
    assert client.get_ssh_key() is None
    key = client.register_ssh_key("synthcity", PUBLIC_KEY)
    assert client.get_ssh_key().id == key.id
    started = client.start_secure_cloud_rental("cyan-a100-x8", key.id, name=NAME)
    assert (started.name, started.hourly_cost, started.status) == (NAME, 8.0, "provisioning")
    server.advance(61)
    (row,) = client.list_secure_cloud_rentals().rentals
    assert (row.name, row.rental_id, row.status, row.hourly_cost) == (NAME, started.rental_id, "running", 8.0)
    assert row.ssh_command.startswith("ssh ubuntu@")
    stopped = client.stop_secure_cloud_rental(NAME)
    assert (stopped.rental_id, stopped.status) == (started.rental_id, "stopped")
    assert client.list_secure_cloud_rentals().total_count == 0


def test_a_machine_without_a_gpu_has_lists_of_its_own(server: Running, client: BasilicaClient) -> None:
    assert [one.hourly_rate for one in client.list_cpu_offerings()] == ["0.12", "0.48"]
    key = client.register_ssh_key("synthcity", PUBLIC_KEY)
    started = client.start_cpu_rental("plum-cpu-8", key.id, name=NAME)
    assert client.list_secure_cloud_rentals().total_count == 0
    assert [row.rental_id for row in client.list_cpu_rentals().rentals] == [started.rental_id]
    assert client.stop_cpu_rental(started.rental_id).status == "stopped"


def test_errors_are_those_of_the_market(server: Running, client: BasilicaClient) -> None:
    with pytest.raises(KeyError, match="Rental not found"):
        client.stop_secure_cloud_rental("nobody")
    with pytest.raises(ValueError, match="Invalid SSH key"):
        client.start_secure_cloud_rental("cyan-a100-x1", "no-key", name=NAME)
    key = client.register_ssh_key("synthcity", PUBLIC_KEY)
    for what, error in (("402", RuntimeError), ("409", RuntimeError), ("garbled", ConnectionError)):
        server.set(faults=[{"on": "^start", "what": what}])
        with pytest.raises(error):
            client.start_secure_cloud_rental("cyan-a100-x1", key.id, name=NAME)
    assert server.names() == [NAME]  # the answer was damaged, and the machine is there
    with pytest.raises(PermissionError):
        BasilicaClient(server.url, "another").list_secure_cloud_gpus()


def test_the_vendors_names_of_gpus_are_ours(server: Running, client: BasilicaClient) -> None:
    names = ["NVIDIA A100 80GB", "rtx 4090", "H100", "L40S", "A10", "something new"]
    server.set(offers={"gpu": [gpu_offer(name, name, 1, "1") for name in names], "cpu": []})
    for one in client.list_secure_cloud_gpus():
        assert normalise(one.gpu_type) == normalise(one.id)


def test_a_machine_that_somebody_boots_runs_once_it_is_told_where(server: Running, client: BasilicaClient) -> None:
    server.set(logins={})
    server.rent(NAME)
    server.advance(61)
    (row,) = client.list_secure_cloud_rentals().rentals
    assert (row.status, row.ssh_command) == ("provisioning", None)
    server.set(logins={NAME: "root@10.0.0.2"})
    (row,) = client.list_secure_cloud_rentals().rentals
    assert (row.status, row.ip_address, row.ssh_command) == ("running", "10.0.0.2", "ssh root@10.0.0.2")

from __future__ import annotations

from synthcity.cluster.layout import MOST_NODES, Place


def test_no_two_nodes_share_an_address_or_a_port() -> None:
    places = [Place(index, 7000) for index in range(MOST_NODES + 1)]
    ports = [port for place in places for port in place.ports]
    assert len(set(ports)) == len(ports)
    assert len({place.address for place in places}) == len(places)
    assert "127.0.0.1" not in {place.address for place in places}  # Ray replaces that


def test_ray_is_told_all_ports_and_none_twice() -> None:
    head, node = Place(0, 7000), Place(3, 7000)
    assert head.gcs == node.gcs == "127.0.1.1:7006"
    for place in (head, node):
        told = dict(argument.removeprefix("--").split("=") for argument in place.arguments)
        assert told.pop("node-ip-address") == place.address
        workers = range(int(told.pop("min-worker-port")), int(told.pop("max-worker-port")) + 1)
        numbers = [int(port) for port in told.values()]
        assert len({*numbers, *workers}) == len(numbers) + len(workers)
        assert {*numbers, *workers} <= set(place.ports)
    assert "--port=7006" in head.arguments
    assert not any(argument.startswith("--port=") for argument in node.arguments)

"""What Ray would bind on every address is bound on the loopback."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from synthcity.serve.ingress.inside import keep_inside


def test_every_address_becomes_the_loopback_and_others_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    replica, bound = ModuleType("ray.serve._private.replica"), []
    replica.add_port_to_grpc_server = lambda server, address: bound.append((server, address)) or 7  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "ray.serve._private.replica", replica)
    keep_inside()
    assert replica.add_port_to_grpc_server("server", "[::]:0") == 7
    replica.add_port_to_grpc_server("server", "10.0.0.1:80")
    assert bound == [("server", "127.0.0.1:0"), ("server", "10.0.0.1:80")]


def test_ray_still_binds_by_that_function() -> None:
    """A newer Ray that binds otherwise would leave the port open without a word."""
    replica = pytest.importorskip("ray.serve._private.replica")
    assert callable(replica.add_port_to_grpc_server)

"""Keeps inside what Ray binds on every address and has no setting for."""

from __future__ import annotations

import importlib
from typing import Any


def keep_inside() -> None:
    """Let this replica listen to other deployments on the loopback alone; call it before the replica has started.

    Whoever reaches that port of Ray 2.60 is asked for no token.
    """
    replica: Any = importlib.import_module("ray.serve._private.replica")
    listen = replica.add_port_to_grpc_server

    def listen_inside(server: object, address: str) -> object:
        return listen(server, address.replace("[::]", "127.0.0.1"))

    replica.add_port_to_grpc_server = listen_inside

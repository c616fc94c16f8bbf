"""Ports for servers that start later, below those that the system gives away itself: nothing takes them meanwhile."""

from __future__ import annotations

import contextlib
import os
import socket

_FIRST, _COUNT = 20_000, 12_000  # Linux gives away 32768 and above


def free_ports(count: int) -> list[int]:
    """Return ``count`` ports of the loopback on which nobody listens."""
    found: list[int] = []
    for step in range(_COUNT):
        port = _FIRST + (os.getpid() * 7 + step) % _COUNT  # processes that look at once look elsewhere
        with contextlib.suppress(OSError), socket.create_server(("", port)):
            found.append(port)
        if len(found) == count:
            return found
    raise RuntimeError("no port is free")

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

from synthcity.serve.ingress.outside import Listener, descendants, listeners, outer_addresses, reachable

CHILD = """
import socket, sys
here, there = socket.create_server(("127.0.0.1", 0)), socket.create_server(("", 0))
six = socket.create_server(("::1", 0), family=socket.AF_INET6)
print(*(one.getsockname()[1] for one in (here, there, six)), flush=True)
sys.stdin.read()
"""


def test_listeners_of_children_are_found_and_tried_from_outside():
    with subprocess.Popen(
        [sys.executable, "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as one:
        assert one.stdout is not None
        here, there, six = map(int, one.stdout.readline().split())
        found = listeners(descendants(os.getpid()))
        for port, address in ((here, "127.0.0.1"), (there, "0.0.0.0"), (six, "::1")):
            assert any(known == Listener(port=port, program=known.program, address=address) for known in found)
        assert one.pid in descendants(os.getpid())
        for address in outer_addresses():
            assert not address.startswith("127.")
            assert (reachable(address, here), reachable(address, six)) == (False, False)
        assert [reachable(address, there) for address in outer_addresses() if ":" not in address].count(False) == 0
        assert reachable("127.0.0.1", here)
        one.kill()


def test_an_address_that_others_know_is_no_loopback():
    if not outer_addresses():
        pytest.skip("this machine has none")
    with socket.create_server((outer_addresses()[0], 0)) as server:
        assert reachable(outer_addresses()[0], server.getsockname()[1])

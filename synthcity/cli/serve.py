"""``synthcity serve``: a forecaster behind HTTP, for validators, people and tools."""

from __future__ import annotations

import signal
import threading
from ipaddress import ip_address
from pathlib import Path

import click


@click.command()
@click.argument("model", metavar="BUNDLE|BASELINE")
@click.option("--data", "store", required=True, metavar="STORE", help="Price store, see `synthcity data`.")
@click.option("--live", metavar="A,B,...", help="Follow the venues for these assets and keep the store filled.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at; 0.0.0.0 is everywhere.")
@click.option("--port", type=click.IntRange(1, 65535), default=8091, show_default=True)
@click.option("--replicas", type=click.IntRange(1, 64), default=1, show_default=True, help="Processes that answer.")
@click.option("--state", default="state", show_default=True, metavar="FOLDER", help="Nonces and the ledger of answers.")
@click.option("--hotkey", metavar="SS58", help="Our own hotkey; with it validators are answered at /Simulation.")
@click.option("--metagraph", metavar="FILE", help="Who is registered, as the chain's process writes it.")
@click.option("--rest/--no-rest", default=None, help="Answer people and tools too.  [default: on a loopback address]")
def command(
    model: str,
    store: str,
    live: str | None,
    host: str,
    port: int,
    replicas: int,
    state: str,
    hotkey: str | None,
    metagraph: str | None,
    rest: bool | None,
) -> None:
    """Serve a forecaster over HTTP until Ctrl-C, on Ray Serve.

    POST /simulate answers people and tools (JSON, or a .npy file with `Accept: application/x-npy`); /docs explains it,
    /models and /healthz tell what runs. It asks nobody for a name, so it is off on public addresses unless --rest.
    With a hotkey and a metagraph file POST /Simulation answers validators of the network, and nobody else. When the
    model is late or fails, filtered historical simulation answers in its place; metrics and the log say so.

    \b
    A winner for yourself:
      synthcity serve runs/sweep/winner --data data/store
    For validators, with live prices:
      synthcity serve runs/sweep/winner --data data/store --live BTC,ETH,SOL,XRP,HYPE --host 0.0.0.0 --hotkey SS58 \\
          --metagraph state/metagraph.json
    """
    from synthcity.errors import ConfigError
    from synthcity.serve.build import ServeConfig
    from synthcity.serve.deployment import ClusterConfig, serving

    try:
        public = not ip_address(host).is_loopback
    except ValueError:
        raise ConfigError(f"{host!r} is no address to listen at; use e.g. 127.0.0.1 or 0.0.0.0") from None
    config = ServeConfig(
        model=str(Path(model).resolve()) if Path(model).exists() else model,
        store=str(Path(store).resolve()),
        state=str(Path(state).resolve()),
        live_assets=tuple(dict.fromkeys(name.strip() for name in (live or "").split(",") if name.strip())),
        hotkey=hotkey,
        metagraph=None if metagraph is None else str(Path(metagraph).resolve()),
        rest=not public if rest is None else rest,
    )
    ended = threading.Event()
    with serving(config, ClusterConfig(host=host, port=port, replicas=replicas)):
        click.echo(f"serving {model} at http://{host}:{port}; Ctrl-C ends it")
        click.echo(
            "HAProxy shows its own statistics on every address, at ports 8404 and 9101 unless moved: firewall them",
            err=True,
        )
        signal.signal(signal.SIGTERM, lambda *_: ended.set())
        try:
            ended.wait()
        except KeyboardInterrupt:
            click.echo("ending", err=True)

"""``synthcity serve``: a forecaster behind HTTP, for validators, people and tools."""

from __future__ import annotations

import signal
import threading
from contextlib import ExitStack

import click

from synthcity.cli.options import LocalPath


@click.command()
@click.argument("model", required=False, metavar="[BUNDLE|BASELINE]")
@click.option(
    "--config",
    "file",
    type=LocalPath(),
    metavar="FILE",
    help="Read configs/serve.yaml or its like; options go before it.",
)
@click.option(
    "--data", "store", type=LocalPath(file_okay=False), metavar="STORE", help="Price store, see `synthcity data`."
)
@click.option(
    "--as-of",
    type=click.Choice(["now", "store"]),
    show_default="now",
    help="store: answer as of the last price that the store holds.",
)
@click.option("--live", metavar="A,B,...", help="Follow the venues for these assets and keep the store filled.")
@click.option("--host", show_default="127.0.0.1", help="Address to listen at; 0.0.0.0 is everywhere.")
@click.option("--port", type=click.IntRange(1, 65535), show_default="8091")
@click.option("--replicas", type=click.IntRange(1, 64), help="Processes that answer.  [default: two if memory allows]")
@click.option(
    "--state",
    type=LocalPath(file_okay=False),
    show_default="state",
    metavar="FOLDER",
    help="Nonces and the ledger of answers.",
)
@click.option("--hotkey", metavar="SS58", help="Our own hotkey; with it validators are answered at /Simulation.")
@click.option(
    "--metagraph", type=LocalPath(), metavar="FILE", help="Who is registered, as the chain's process writes it."
)
@click.option("--metrics-port", type=click.IntRange(0, 65535), help="Of 127.0.0.1; 0: a free one.  [default: 9150]")
@click.option(
    "--trust-code", is_flag=True, default=None, help="Run what a language model wrote, where a bundle holds such code."
)
@click.option("--rest/--no-rest", default=None, help="Answer people and tools too.  [default: on a loopback address]")
def command(
    model: str | None,
    file: str | None,
    store: str | None,
    as_of: str | None,
    live: str | None,
    host: str | None,
    port: int | None,
    replicas: int | None,
    state: str | None,
    hotkey: str | None,
    metagraph: str | None,
    metrics_port: int | None,
    trust_code: bool | None,
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
    On prices of the past:
      synthcity serve fhs --data data/store --as-of store
    For validators, with live prices:
      synthcity serve runs/sweep/winner --data data/store \\
          --live BTC,ETH,SOL,XRP,HYPE --host 0.0.0.0 \\
          --hotkey SS58 --metagraph state/metagraph.json
    All of that, and every limit, from one file:
      synthcity serve --config configs/serve.yaml
    """
    from synthcity.forecast.bundles.suitability import doubts
    from synthcity.serve.config import load_serving
    from synthcity.serve.deployment import serving
    from synthcity.serve.operations.export import exporting, figure_families
    from synthcity.serve.operations.tell import follow, told_at_start

    names = None if live is None else list(dict.fromkeys(name.strip() for name in live.split(",") if name.strip()))
    service: dict[str, object] = {"model": model, "store": store, "state": state, "live_assets": names}
    service["as_of"] = as_of
    service |= {"hotkey": hotkey, "metagraph": metagraph, "rest": rest, "trust_code": trust_code}
    where: dict[str, object] = {"host": host, "port": port, "replicas": replicas, "metrics_port": metrics_port}
    config = load_serving(file, service=service, cluster=where)
    for line in told_at_start(config.service):
        click.echo(line, err=True)
    for doubt in doubts(config.service.model):
        click.echo(f"warning: {doubt}", err=True)
    ended = threading.Event()
    with ExitStack() as stack:
        deployed = stack.enter_context(serving(config.service, config.cluster))
        signal.signal(signal.SIGTERM, lambda *_: ended.set())  # before anybody is told that it serves
        counted = exporting(config.cluster.metrics_port, lambda: figure_families(deployed.status().figures))
        click.echo(f"metrics at {stack.enter_context(counted)}")
        click.echo(
            f"serving {config.service.model} at http://{config.cluster.host}:{config.cluster.port}; Ctrl-C ends it"
        )
        try:
            follow(deployed, ended, tell=lambda line: click.echo(line, err=True))
        except KeyboardInterrupt:
            click.echo("ending", err=True)

"""Keeps the snapshot of the chain that ``synthcity serve`` reads, and tells validators where we answer.

``python -m synthcity.serve.chain --metagraph state/metagraph.json`` does the first, ``--publish`` the second as well.
It is a program of its own, since a chain's library may do anything to its process: bittensor silences every logger.
"""

from __future__ import annotations

import importlib
import logging
import os
import threading
from pathlib import Path
from typing import cast

import click

from synthcity import plugins
from synthcity.durations import DAY, parse_duration
from synthcity.errors import ChainError, ConfigError
from synthcity.serve.chain.chain import OpenChain, follow
from synthcity.settings import Settings


def _address(ctx: click.Context, param: click.Parameter, text: str | None) -> tuple[str, int] | None:
    if text is None:
        return None
    ip, _, port = text.rpartition(":")
    if not ip or not port.isdecimal() or not 0 < int(port) < 65536:
        raise click.BadParameter(f"{text!r} is no address; write e.g. 203.0.113.7:8091", ctx, param)
    return ip, int(port)


def _adapter(name: str) -> OpenChain:
    """Return ``open_chain`` of a module, or what an entry point ``synthcity.chains`` of this name gives."""
    try:
        if name in plugins.installed("chains"):
            found = plugins.load(plugins.installed("chains")[name])
        else:
            found = importlib.import_module(name).open_chain
    except (ImportError, AttributeError, ConfigError) as error:
        raise click.ClickException(f"{name!r} is no chain adapter: {error}") from error
    return cast(OpenChain, found)


def _every(ctx: click.Context, param: click.Parameter, text: str) -> float:
    try:
        seconds = parse_duration(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} must be {error}", ctx, param) from error
    if not 12 <= seconds <= DAY:
        raise click.BadParameter(f"{text!r} must be at least 12s and at most 1d", ctx, param)
    return seconds


def _end_with_stdin() -> None:
    """End this process, whatever it waits for, once nobody holds the other end of its standard input."""
    while os.read(0, 4096):
        pass
    os._exit(0)


@click.command(help=__doc__)
@click.option("--metagraph", type=click.Path(path_type=Path), required=True, metavar="FILE", help="Where to write it.")
@click.option(
    "--adapter",
    default="synthcity.serve.chain.bittensor10",
    show_default=True,
    help="What asks it: a module, or the name that an installed distribution gives one.",
)
@click.option("--network", default=lambda: Settings.load().bt_network, show_default="BT_NETWORK, or finney")
@click.option(
    "--netuid",
    type=click.IntRange(0, 65535),
    default=lambda: Settings.load().bt_netuid,
    show_default="BT_NETUID, or 50",
)
@click.option("--every", callback=_every, default="3m", show_default=True, help="Between two; a block takes 12 s.")
@click.option("--publish", callback=_address, metavar="IP:PORT", help="Where validators reach us.")
@click.option("--wallet", default=lambda: Settings.load().bt_wallet_name, show_default="BT_WALLET_NAME, or default")
@click.option("--hotkey", default=lambda: Settings.load().bt_hotkey_name, show_default="BT_HOTKEY_NAME, or default")
@click.option("--until-stdin-ends", is_flag=True, help="End with whoever holds standard input, even if that is killed.")
def main(
    metagraph: Path,
    adapter: str,
    network: str,
    netuid: int,
    every: float,
    publish: tuple[str, int] | None,
    wallet: str,
    hotkey: str,
    until_stdin_ends: bool,
) -> None:
    if until_stdin_ends:
        threading.Thread(target=_end_with_stdin, name="stdin", daemon=True).start()
    open_chain = _adapter(adapter)
    try:
        opened = open_chain(network=network, netuid=netuid, wallet=wallet, hotkey=hotkey, publishes=publish is not None)
    except ChainError as error:
        raise click.ClickException(str(error)) from error
    for name in ("synthcity", "synthcity.serve.chain.chain"):  # an adapter's library may have silenced them
        logging.getLogger(name).setLevel(logging.INFO)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", force=True)
    follow(opened.chain, metagraph, every_seconds=every, publish=publish, hotkey=opened.hotkey)


if __name__ == "__main__":
    main()

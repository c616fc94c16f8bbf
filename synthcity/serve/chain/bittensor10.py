"""The chain through bittensor 10. A program of its own: importing bittensor silences every logger of a process.

``python -m synthcity.serve.chain.bittensor10 --metagraph state/metagraph.json`` keeps the snapshot that
``synthcity serve`` reads; with ``--publish`` it also tells validators where we answer. It needs ``synth-city[mine]``.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from pathlib import Path
from typing import Any

import click

from synthcity.errors import ChainError
from synthcity.serve.admission.metagraph import Neuron, Snapshot
from synthcity.serve.chain.chain import follow

_PROTOCOL = 4  # what the library's own axons publish


class Bittensor10:
    """``chain.Chain`` by a ``bittensor.Subtensor``; a wallet is needed to publish alone."""

    def __init__(self, subtensor: Any, netuid: int, wallet: Any = None) -> None:
        self._subtensor = subtensor
        self._netuid = netuid
        self._wallet = wallet

    def snapshot(self) -> Snapshot:
        """See ``Chain.snapshot``."""
        try:
            return to_snapshot(self._subtensor.metagraph(self._netuid), self._netuid, time.time())
        except Exception as error:
            raise ChainError(f"the chain told nothing of subnet {self._netuid}: {_words(error)}") from error

    def publish(self, ip: str, port: int) -> None:
        """See ``Chain.publish``."""
        from bittensor.core.extrinsics.serving import serve_extrinsic

        try:
            done = serve_extrinsic(
                self._subtensor, self._wallet, ip, port, _PROTOCOL, self._netuid, wait_for_finalization=False
            )
        except Exception as error:
            raise ChainError(f"{ip}:{port} was not published: {_words(error)}") from error
        if not done.success:  # the library only logs it
            raise ChainError(f"{ip}:{port} was not published: {done.message}")


def to_snapshot(metagraph: Any, netuid: int, taken_at: float) -> Snapshot:
    """Turn a ``bittensor.Metagraph`` into what is kept of it."""
    rows = zip(metagraph.hotkeys, metagraph.S, metagraph.validator_permit, metagraph.axons, strict=True)
    neurons = {
        str(hotkey): Neuron(uid=uid, stake=float(stake), validator_permit=bool(permit), ip=str(axon.ip))
        for uid, (hotkey, stake, permit, axon) in enumerate(rows)
    }
    return Snapshot(netuid=netuid, block=int(metagraph.block.item()), taken_at=taken_at, neurons=neurons)


def _words(error: Exception) -> str:
    return f"{type(error).__name__} {error}".strip()[:300]


def _address(ctx: click.Context, param: click.Parameter, text: str | None) -> tuple[str, int] | None:
    if text is None:
        return None
    ip, _, port = text.rpartition(":")
    if not ip or not port.isdecimal() or not 0 < int(port) < 65536:
        raise click.BadParameter(f"{text!r} is no address; write e.g. 203.0.113.7:8091", ctx, param)
    return ip, int(port)


def _end_with_stdin() -> None:
    """End this process, whatever it waits for, once nobody holds the other end of its standard input."""
    while os.read(0, 4096):
        pass
    os._exit(0)


@click.command(help=__doc__)
@click.option("--metagraph", type=click.Path(path_type=Path), required=True, metavar="FILE", help="Where to write it.")
@click.option("--network", default="finney", show_default=True, envvar="BT_NETWORK", help="Or test, or an endpoint.")
@click.option("--netuid", type=int, default=50, show_default=True, envvar="BT_NETUID", help="247 on the test network.")
@click.option("--every", type=click.FloatRange(min=12), default=180.0, show_default=True, help="Seconds between two.")
@click.option("--publish", callback=_address, metavar="IP:PORT", help="Where validators reach us.")
@click.option("--wallet", default="default", show_default=True, envvar="BT_WALLET_NAME")
@click.option("--hotkey", default="default", show_default=True, envvar="BT_HOTKEY_NAME")
@click.option("--until-stdin-ends", is_flag=True, help="End with whoever holds standard input, even if that is killed.")
def main(
    metagraph: Path,
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
    try:
        import bittensor
    except ImportError as error:
        raise click.ClickException("the chain needs bittensor 10: pip install 'synth-city[mine]'") from error
    for name in ("synthcity", "synthcity.serve.chain.chain"):  # silenced by that import
        logging.getLogger(name).setLevel(logging.INFO)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", force=True)
    ours = bittensor.Wallet(name=wallet, hotkey=hotkey) if publish else None
    try:
        subtensor = bittensor.Subtensor(network=network)
        address = None if ours is None else ours.hotkey.ss58_address
    except Exception as error:
        raise click.ClickException(f"cannot begin with network {network!r}: {_words(error)}") from error
    chain = Bittensor10(subtensor, netuid, ours)
    follow(chain, metagraph, every_seconds=every, publish=publish, hotkey=address)


if __name__ == "__main__":
    main()

"""What a miner needs of the chain, and the loop that keeps its snapshot fresh."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from synthcity.errors import ChainError, DataError
from synthcity.serve.admission.metagraph import Snapshot

_log = logging.getLogger(__name__)


class Chain(Protocol):
    """The subnet as it is now. Both methods raise ``ChainError`` where the chain does not answer or refuses."""

    def snapshot(self) -> Snapshot:
        """Who is registered, with stake, permit and published address."""

    def publish(self, ip: str, port: int) -> None:
        """Tell validators where our hotkey answers; nothing is sent if the chain knows it already."""


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A chain, and the address of our hotkey where we are to publish ours."""

    chain: Chain
    hotkey: str | None


class OpenChain(Protocol):
    """The function ``open_chain`` of an adapter's module, found by ``python -m synthcity.serve.chain --adapter``."""

    def __call__(self, *, network: str, netuid: int, wallet: str, hotkey: str, publishes: bool) -> Opened:
        """Connect. A wallet is read only where something is to be published.

        Raises:
            ChainError: the adapter's library is missing, or the network or the wallet cannot be used.
        """


def follow(
    chain: Chain,
    path: Path,
    *,
    every_seconds: float,
    publish: tuple[str, int] | None = None,
    hotkey: str | None = None,
    rounds: int | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Write a snapshot again and again. While the chain is away, the last good one stays where it is.

    Args:
        chain: what to ask.
        path: file that ``metagraph.Registry`` follows.
        every_seconds: between two snapshots.
        publish: address to publish, until that has succeeded once.
        hotkey: ours; it is told if it is not registered.
        rounds: so many rounds; None: for ever.
        sleep: waits.
    """
    num_rounds = 0
    while rounds is None or num_rounds < rounds:
        if num_rounds:
            sleep(every_seconds)
        num_rounds += 1
        try:
            snapshot = chain.snapshot()
            snapshot.write(path)
            _log.info("block %d: %d hotkeys", snapshot.block, len(snapshot.neurons))
            if hotkey is not None and hotkey not in snapshot.neurons:
                _log.error("hotkey %s is not registered on subnet %d: nobody asks it", hotkey, snapshot.netuid)
            if publish is not None:
                chain.publish(*publish)
                _log.info("published %s:%d", *publish)
                publish = None
        except (ChainError, DataError) as error:
            _log.warning("%s; the last snapshot stays in force", error)

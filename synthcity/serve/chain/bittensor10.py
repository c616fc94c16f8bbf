"""The chain through bittensor 10, an adapter of ``python -m synthcity.serve.chain``. It needs ``synth-city[mine]``."""

from __future__ import annotations

import time
from typing import Any

from synthcity.errors import ChainError
from synthcity.serve.admission.metagraph import Neuron, Snapshot
from synthcity.serve.chain.chain import Opened

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
        str(hotkey): Neuron(
            uid=uid, stake=float(stake), validator_permit=bool(permit), ip=str(axon.ip), port=int(axon.port)
        )
        for uid, (hotkey, stake, permit, axon) in enumerate(rows)
    }
    return Snapshot(netuid=netuid, block=int(metagraph.block.item()), taken_at=taken_at, neurons=neurons)


def _words(error: Exception) -> str:
    return f"{type(error).__name__} {error}".strip()[:300]


def open_chain(*, network: str, netuid: int, wallet: str, hotkey: str, publishes: bool) -> Opened:
    """See ``chain.OpenChain``."""
    try:
        import bittensor
    except ImportError as error:
        raise ChainError("the chain needs bittensor 10: pip install 'synth-city[mine]'") from error
    try:
        ours = bittensor.Wallet(name=wallet, hotkey=hotkey) if publishes else None
        subtensor = bittensor.Subtensor(network=network)
        address = None if ours is None else str(ours.hotkey.ss58_address)
    except Exception as error:
        raise ChainError(f"cannot begin with network {network!r}: {_words(error)}") from error
    return Opened(chain=Bittensor10(subtensor, netuid, ours), hotkey=address)

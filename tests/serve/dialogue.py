"""The wire format of a bittensor 10 dendrite, written anew from its description, and what the tests serve."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from bittensor_wallet import Keypair

from synthcity.market.bars import Bars, Market
from synthcity.serve.admission.metagraph import Neuron, Snapshot

MINER = Keypair.create_from_uri("//Miner")
VALIDATOR = Keypair.create_from_uri("//Validator")
STRANGER = Keypair.create_from_uri("//Stranger")
POOR = Keypair.create_from_uri("//Poor")
LAYMAN = Keypair.create_from_uri("//Layman")
NOW = 1_790_000_410.25  # within a minute and within five
EMPTY_HASH = hashlib.sha3_256(b"").hexdigest()


def snapshot() -> Snapshot:
    """A subnet with a miner, a validator, one with too little stake and one without a permit."""
    neurons = {
        MINER.ss58_address: Neuron(uid=0, stake=0.0, validator_permit=False, ip="10.0.0.1"),
        VALIDATOR.ss58_address: Neuron(uid=1, stake=65_000.0, validator_permit=True, ip="10.0.0.2"),
        POOR.ss58_address: Neuron(uid=2, stake=64_999.0, validator_permit=True, ip="10.0.0.3"),
        LAYMAN.ss58_address: Neuron(uid=3, stake=90_000.0, validator_permit=False, ip="10.0.0.4"),
    }
    return Snapshot(netuid=50, block=1, taken_at=NOW, neurons=neurons)


def headers(
    now: float = NOW,
    *,
    key: Keypair = VALIDATOR,
    caller: str | None = None,
    receiver: str = MINER.ss58_address,
    uuid: str = "5ecbd69c-1cec-11ee-b0dc-e29ce36fec1a",
    age: float = 0.0,
    nonce: int | None = None,
    **changed: str,
) -> dict[str, str]:
    """Signed headers as sent by 10.5.0; ``changed`` are set after signing."""
    nonce = int((now - age) * 1e9) if nonce is None else nonce
    caller = key.ss58_address if caller is None else caller
    text = f"{nonce}.{caller}.{receiver}.{uuid}.{EMPTY_HASH}"
    sent = {
        "name": "Simulation",
        "timeout": "89.75",
        "bt_header_axon_ip": "127.0.0.1",
        "bt_header_axon_port": "8091",
        "bt_header_axon_hotkey": receiver,
        "bt_header_dendrite_ip": "127.0.0.1",
        "bt_header_dendrite_version": "10005000",
        "bt_header_dendrite_nonce": str(nonce),
        "bt_header_dendrite_uuid": uuid,
        "bt_header_dendrite_hotkey": caller,
        "bt_header_dendrite_signature": f"0x{key.sign(text.encode()).hex()}",
        "bt_header_input_obj_simulation_input": "e30=",
        "header_size": "640",
        "total_size": "3416",
        "computed_body_hash": EMPTY_HASH,
        "content-type": "application/json",
        "accept-encoding": "gzip, deflate",
    }
    return sent | changed


def question(asset: str = "BTC", length: int = 86400, increment: int = 300, **changed: Any) -> dict[str, Any]:
    """``simulation_input`` as a validator sends it."""
    start = datetime.fromtimestamp(int(NOW) // 60 * 60 + 120, UTC).isoformat()
    asked = {"asset": asset, "start_time": start, "time_increment": increment, "time_length": length}
    return asked | {"num_simulations": 1000} | changed


def body(asked: Any = None) -> bytes:
    """The body of 10.5.0: only ``simulation_input`` says anything."""
    nobody = dict.fromkeys(("status_code", "status_message", "ip", "port", "version", "nonce", "uuid", "hotkey"))
    synapse = {
        "name": "Simulation",
        "timeout": 12.0,
        "total_size": 0,
        "header_size": 0,
        "dendrite": nobody,
        "axon": nobody,
        "computed_body_hash": "",
        "simulation_input": question() if asked is None else asked,
        "simulation_output": None,
    }
    return json.dumps(synapse).encode()


def market(assets: tuple[str, ...], days: float = 5.0, now: float = NOW) -> Market:
    """Random walks of one and five minutes up to the last whole minute before ``now``."""
    last = int(now) // 60 * 60
    found = {}
    for number, asset in enumerate(assets):
        rng = np.random.default_rng(number)
        length = round(days * 1440)
        time = last - 60 * np.arange(length, 0, -1)
        price = 10.0 ** (number % 6) * np.exp(np.cumsum(3e-4 * rng.standard_normal(length)))
        high, low = price * (1 + 1e-4 * rng.random(length)), price * (1 - 1e-4 * rng.random(length))
        found[asset, 60] = Bars(time, price, high, low, price, np.ones(length), 60)
        ends = np.flatnonzero((time + 60) % 300 == 0)[1:]
        close, ones = price[ends], np.ones(len(ends))
        found[asset, 300] = Bars(time[ends] - 240, close, close * 1.0001, close * 0.9999, close, ones, 300)
    return Market(found)


def write_snapshot(folder: Path) -> Path:
    """Write the subnet's file and return its path."""
    snapshot().write(folder / "metagraph.json")
    return folder / "metagraph.json"

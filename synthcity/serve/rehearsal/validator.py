"""The stand-in for a validator: it asks as the dendrite of bittensor 10 does, and judges the answer as the network."""

from __future__ import annotations

import base64
import hashlib
import json
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
from bittensor_wallet import Keypair

from synthcity.sn50.prompt import Prompt
from synthcity.sn50.submission import validate

_EMPTY = hashlib.sha3_256(b"").hexdigest()
"""What the library signs in the place of the body, which nothing of this question's kind is hashed from."""

_VERSION = 10_005_000


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What came back.

    Attributes:
        status: of HTTP.
        seconds: from the question to the last byte.
        num_bytes: of the answer, unpacked.
        refused: why the network would refuse it; None if it would not.
    """

    status: int
    seconds: float
    num_bytes: int
    refused: str | None


def ask(url: str, validator: Keypair, receiver: str, prompt: Prompt, *, signed: bool = True) -> Reply:
    """Ask the axon at ``url`` for paths, signed by ``validator`` for the hotkey ``receiver``."""
    patience = prompt.start_time - time.time()
    headers = _headers(validator, receiver, patience)
    if not signed:
        headers["bt_header_dendrite_signature"] = "0x" + "00" * 64
    begin = time.perf_counter()
    with httpx.Client(trust_env=False, timeout=max(patience, 1.0)) as client:
        answer = client.post(f"{url}/Simulation", content=_body(prompt), headers=headers)
    seconds = time.perf_counter() - begin
    return Reply(
        status=answer.status_code, seconds=seconds, num_bytes=len(answer.content), refused=_judge(answer, prompt)
    )


def _headers(validator: Keypair, receiver: str, patience: float) -> dict[str, str]:
    nonce, name, caller = time.time_ns(), str(uuid.uuid1()), validator.ss58_address
    signature = validator.sign(f"{nonce}.{caller}.{receiver}.{name}.{_EMPTY}".encode()).hex()
    return {
        "name": "Simulation",
        "timeout": f"{patience:.6f}",
        "bt_header_axon_hotkey": receiver,
        "bt_header_dendrite_version": str(_VERSION),
        "bt_header_dendrite_nonce": str(nonce),
        "bt_header_dendrite_uuid": name,
        "bt_header_dendrite_hotkey": caller,
        "bt_header_dendrite_signature": f"0x{signature}",
        "bt_header_input_obj_simulation_input": base64.b64encode(b"{}").decode(),
        "computed_body_hash": _EMPTY,
        "content-type": "application/json",
        "accept-encoding": "gzip, deflate",
    }


def _body(prompt: Prompt) -> bytes:
    asked = {
        "asset": prompt.asset,
        "start_time": datetime.fromtimestamp(prompt.start_time, UTC).isoformat(),
        "time_increment": prompt.time_increment,
        "time_length": prompt.time_length,
        "num_simulations": prompt.num_simulations,
    }
    synapse = {"name": "Simulation", "timeout": 12.0, "simulation_input": asked, "simulation_output": None}
    return json.dumps(synapse).encode()


def _judge(answer: httpx.Response, prompt: Prompt) -> str | None:
    if answer.status_code != 200:
        return f"status {answer.status_code}: {answer.text[:200]}"
    found = answer.json()
    if not isinstance(found, dict) or "simulation_input" not in found:
        return "the answer lacks simulation_input"
    return validate(found.get("simulation_output"), prompt)

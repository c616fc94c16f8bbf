"""The headers of a bittensor 10 request: who asks, when, for how long, and the text that they signed.

The identity of the caller and the true time-out stand in headers alone; those of the body are empty. The signature
covers ``nonce.caller.receiver.uuid.body hash``, and since the Simulation synapse declares no hashed field, the body
hash is that of the empty string: the body is not signed, and whoever reads it must bound every field.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from synthcity.serve.admission.refusal import Refusal

ROUTE = "/Simulation"
BODY_HASH = hashlib.sha3_256(b"").hexdigest()
"""What every header ``computed_body_hash`` of this synapse says."""

OLDEST_VERSION = 7_002_000
"""Older dendrites sign counters instead of times as nonces."""

MAX_UUID_CHARACTERS = 100
_SS58 = re.compile(r"[1-9A-HJ-NP-Za-km-z]{46,49}")
_SIGNATURE = re.compile(r"0x[0-9a-fA-F]{128}")
_UNSIGNED = re.compile(r"[0-9]{1,20}")
_VISIBLE = re.compile(r"[!-~]+")


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What the headers say; nothing of it is proven yet.

    ``nonce_ns`` is unix time in nanoseconds, ``timeout_seconds`` is what the caller will wait.
    """

    caller: str
    receiver: str
    nonce_ns: int
    uuid: str
    timeout_seconds: float
    signature: str

    def signed_text(self, receiver: str) -> bytes:
        """The bytes that the caller must have signed for ``receiver``."""
        return f"{self.nonce_ns}.{self.caller}.{receiver}.{self.uuid}.{BODY_HASH}".encode()


def read_headers(headers: Mapping[str, str]) -> Claim:
    """Read the headers of a request, names in lower case.

    Raises:
        Refusal: 401 where identity, nonce, version or signature are missing or malformed; 400 where the rest is.
    """
    signature = headers.get("bt_header_dendrite_signature", "")
    if not _SIGNATURE.fullmatch(signature):
        raise Refusal(401, "unsigned", "the request carries no signature of 64 bytes; sign it by your hotkey")
    caller = headers.get("bt_header_dendrite_hotkey", "")
    receiver = headers.get("bt_header_axon_hotkey", "")
    if not _SS58.fullmatch(caller) or not _SS58.fullmatch(receiver):
        raise Refusal(401, "unsigned", "the hotkeys of caller and receiver must be ss58 addresses")
    uuid = headers.get("bt_header_dendrite_uuid", "")
    if len(uuid) > MAX_UUID_CHARACTERS or not _VISIBLE.fullmatch(uuid):
        raise Refusal(401, "unsigned", f"the uuid must be 1 to {MAX_UUID_CHARACTERS} visible characters")
    nonce = headers.get("bt_header_dendrite_nonce", "")
    version = headers.get("bt_header_dendrite_version", "")
    if not _UNSIGNED.fullmatch(nonce) or not _UNSIGNED.fullmatch(version):
        raise Refusal(401, "unsigned", "nonce and version must be whole numbers")
    if int(version) < OLDEST_VERSION:
        raise Refusal(401, "version", f"version {int(version)} signs no times; at least {OLDEST_VERSION} is needed")
    if headers.get("name", "Simulation") != "Simulation":
        raise Refusal(400, "malformed", "the header name must be Simulation")
    if headers.get("computed_body_hash", BODY_HASH) != BODY_HASH:
        raise Refusal(400, "malformed", f"computed_body_hash must be {BODY_HASH}, that of no hashed field")
    return Claim(
        caller=caller,
        receiver=receiver,
        nonce_ns=int(nonce),
        uuid=uuid,
        timeout_seconds=_timeout(headers.get("timeout", "")),
        signature=signature,
    )


def _timeout(text: str) -> float:
    try:
        seconds = float(text) if len(text) <= 40 else math.nan
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise Refusal(400, "malformed", "the header timeout must be a positive number of seconds")
    return seconds

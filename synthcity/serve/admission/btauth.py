"""The headers of ``btauth/1``, which bittensor 11 puts in the place of dendrite and axon.

The signature covers method, target, the SHA-256 of the very bytes of the body, nonce, caller and receiver, a line each:
the guide "signed requests" of bittensor 11. So a body cannot be changed on its way. There is no uuid and no time-out:
a request is fresh for ten seconds, each nonce is good once, and how long a caller waits is not told.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from synthcity.serve.admission.refusal import Refusal

PROTOCOL = "btauth/1"
MARK = "x-bittensor-version"
"""A request that has this header speaks btauth."""

OLDEST_SECONDS, AHEAD_SECONDS = 10.0, 2.0
_SS58 = re.compile(r"[1-9A-HJ-NP-Za-km-z]{46,49}")
_SIGNATURE = re.compile(r"(0x)?[0-9a-fA-F]{128}")
_UNSIGNED = re.compile(r"[0-9]{1,20}")


@dataclass(frozen=True, kw_only=True)
class SignedRequest:
    """What the headers say; nothing of it is proven yet. ``nonce_ns`` is unix time in nanoseconds."""

    caller: str
    receiver: str
    nonce_ns: int
    signature: str

    def signed_text(self, method: str, target: str, body: bytes, receiver: str) -> bytes:
        """The bytes that the caller must have signed for ``receiver``; ``target`` is the path with its query."""
        digest = hashlib.sha256(body).hexdigest()
        lines = (PROTOCOL, "sr25519", method, target, digest, str(self.nonce_ns), self.caller, receiver)
        return "\n".join(lines).encode()


def read_headers(headers: Mapping[str, str]) -> SignedRequest:
    """Read the headers of a request, names in lower case.

    Raises:
        Refusal: 401 where one is missing or malformed, or the scheme is not sr25519.
    """
    if headers.get(MARK) != "1":
        raise Refusal(401, "version", f"{PROTOCOL} is the only version known here")
    if headers.get("x-bittensor-crypto", "sr25519").strip().lower() != "sr25519":
        raise Refusal(401, "unsigned", "hotkeys sign by sr25519")
    caller, receiver = headers.get("x-bittensor-hotkey", ""), headers.get("x-bittensor-receiver", "")
    if not _SS58.fullmatch(caller) or not _SS58.fullmatch(receiver):
        raise Refusal(401, "unsigned", "the hotkeys of caller and receiver must be ss58 addresses")
    nonce, signature = headers.get("x-bittensor-nonce", ""), headers.get("x-bittensor-signature", "")
    if not _UNSIGNED.fullmatch(nonce):
        raise Refusal(401, "unsigned", "the nonce must be a whole number")
    if not _SIGNATURE.fullmatch(signature):
        raise Refusal(401, "unsigned", "the request carries no signature of 64 bytes; sign it by your hotkey")
    signature = signature if signature.startswith("0x") else f"0x{signature}"
    return SignedRequest(caller=caller, receiver=receiver, nonce_ns=int(nonce), signature=signature)

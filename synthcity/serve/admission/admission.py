"""From headers to a verdict: who may ask, and for how long.

The library's own checks, made stricter where it would let a stranger, a replay or a forged time pass. They go from
cheap to dear: what a stranger can send in bulk is refused before a signature is verified, and nothing is remembered
of a request that is not admitted.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from bittensor_wallet import Keypair

from synthcity.durations import HOUR
from synthcity.schema import key, seconds
from synthcity.serve.admission import btauth
from synthcity.serve.admission.metagraph import Neuron, Snapshot
from synthcity.serve.admission.refusal import Refusal
from synthcity.serve.admission.wire import read_headers

_NS = 10**9


class Held(Refusal):
    """A repetition of a request that another replica has taken and not answered yet."""


@dataclass(frozen=True, kw_only=True)
class AdmissionConfig:
    """Attributes:
    min_stake: the floor that the network documents for validators.
    require_permit: whether the caller must hold a validator permit.
    require_source_ip: whether the request must come from an address that some admissible validator published.
        Only where this process sees the caller's own address: behind a proxy it does not.
    longest_timeout_seconds: more than this of a caller's time-out is ignored, for its deadline and for its nonce.
    grace_seconds: how much older than its time-out a nonce may be, as in the library.
    ahead_seconds: how far ahead of our clock a nonce may be.
    """

    min_stake: float = key(65_000.0, low=0, high=1e12)
    require_permit: bool = True
    require_source_ip: bool = False
    longest_timeout_seconds: float = seconds(130.0, low=1, high=HOUR)
    grace_seconds: float = seconds(4.0, low=0, high=HOUR)
    ahead_seconds: float = seconds(5.0, low=0, high=HOUR)


class NonceStore(Protocol):
    """Remembers nonces by caller and uuid."""

    def raise_to(self, caller: str, uuid: str, nonce_ns: int) -> bool:
        """Take a nonce and hold it until it is spent; False if it is a repetition."""

    def is_held_elsewhere(self, caller: str, uuid: str, nonce_ns: int) -> bool:
        """Whether another process has taken it and not answered yet."""

    def spend(self, caller: str, uuid: str, nonce_ns: int) -> None:
        """The answer went out."""


class Registered(Protocol):
    """Knows who is registered."""

    @property
    def snapshot(self) -> Snapshot | None:
        """The last good snapshot; None if there never was one."""


@dataclass(frozen=True, kw_only=True)
class Caller:
    """A validator whose request was admitted, how long it waits, and the nonce as it is remembered."""

    hotkey: str
    timeout_seconds: float
    uuid: str
    nonce_ns: int


class Admission:
    """Admits requests for the hotkey ``receiver`` (ss58)."""

    def __init__(
        self, receiver: str, registered: Registered, nonces: NonceStore, config: AdmissionConfig | None = None
    ) -> None:
        self.receiver = receiver
        self.config = AdmissionConfig() if config is None else config
        self._registered = registered
        self._nonces = nonces

    def admit(self, headers: Mapping[str, str], ip: str, now_ns: int) -> Caller:
        """Return who asks.

        Args:
            headers: of the request, names in lower case.
            ip: where it came from.
            now_ns: unix time in nanoseconds.

        Raises:
            Refusal: 400, 401, 403, or 503 while no snapshot of the chain was ever read.
        """
        claim = read_headers(headers)
        timeout = min(claim.timeout_seconds, self.config.longest_timeout_seconds)
        self.check_known(claim.caller, ip)
        self._check_age(claim.nonce_ns, now_ns, timeout + self.config.grace_seconds, self.config.ahead_seconds)
        text = claim.signed_text(self.receiver)
        self._check_signature(claim.caller, claim.receiver, text, claim.signature)
        return self._take(claim.caller, timeout, claim.uuid, claim.nonce_ns, "is not above the last one of this caller")

    def admit_signed(self, headers: Mapping[str, str], body: bytes, target: str, ip: str, now_ns: int) -> Caller:
        """Return who asks by ``btauth/1``; the time-out is the longest, since the protocol tells none.

        Args: as ``admit``; ``body`` is what was received, ``target`` the path with its query.

        Raises:
            Refusal: as ``admit``.
        """
        claim = btauth.read_headers(headers)
        self.check_known(claim.caller, ip)
        self._check_age(claim.nonce_ns, now_ns, btauth.OLDEST_SECONDS, btauth.AHEAD_SECONDS)
        text = claim.signed_text("POST", target, body, self.receiver)
        self._check_signature(claim.caller, claim.receiver, text, claim.signature)
        # the nonce is the whole of the memory: a caller's requests may come in any order, each one once
        uuid, longest = f"{btauth.PROTOCOL}.{claim.nonce_ns}", self.config.longest_timeout_seconds
        return self._take(claim.caller, longest, uuid, claim.nonce_ns, "was used before")

    def answered(self, caller: Caller) -> None:
        """The answer went out; until then another replica may answer, should this one be killed."""
        self._nonces.spend(caller.hotkey, caller.uuid, caller.nonce_ns)

    def _take(self, hotkey: str, timeout: float, uuid: str, nonce_ns: int, otherwise: str) -> Caller:
        if not self._nonces.raise_to(hotkey, uuid, nonce_ns):
            kind = Held if self._nonces.is_held_elsewhere(hotkey, uuid, nonce_ns) else Refusal
            raise kind(401, "replay", f"the nonce {otherwise}")
        return Caller(hotkey=hotkey, timeout_seconds=timeout, uuid=uuid, nonce_ns=nonce_ns)

    def check_known(self, hotkey: str, ip: str) -> None:
        """Refuse callers that the chain does not know as validators.

        Raises:
            Refusal: 403, or 503 without a snapshot.
        """
        snapshot = self._registered.snapshot
        if snapshot is None:
            raise Refusal(503, "no_snapshot", "who is registered is not known yet; ask again in a minute")
        neuron = snapshot.neurons.get(hotkey)
        if neuron is None:
            raise Refusal(403, "unregistered", f"hotkey {hotkey} is not registered on subnet {snapshot.netuid}")
        if neuron.stake < self.config.min_stake:
            raise Refusal(403, "stake", f"stake {neuron.stake:g} is below {self.config.min_stake:g}")
        if self.config.require_permit and not neuron.validator_permit:
            raise Refusal(403, "permit", f"hotkey {hotkey} holds no validator permit")
        if self.config.require_source_ip and _address(ip) not in self._known_addresses(snapshot):
            raise Refusal(403, "source", f"no validator published the address {ip}")

    def _known_addresses(self, snapshot: Snapshot) -> set[str]:
        return {_address(n.ip) for n in snapshot.neurons.values() if self._may_ask(n)} - {"", "0.0.0.0"}

    def _may_ask(self, neuron: Neuron) -> bool:
        permitted = neuron.validator_permit or not self.config.require_permit
        return permitted and neuron.stake >= self.config.min_stake

    def _check_age(self, nonce_ns: int, now_ns: int, oldest: float, ahead: float) -> None:
        age = (now_ns - nonce_ns) / _NS
        if age > oldest:
            raise Refusal(401, "old", f"the nonce is {age:.1f} s old; at most {oldest:g} s are allowed")
        if -age > ahead:
            raise Refusal(401, "ahead", f"the nonce lies {-age:.1f} s ahead; set your clock")

    def _check_signature(self, caller: str, receiver: str, text: bytes, signature: str) -> None:
        if receiver != self.receiver:
            raise Refusal(401, "receiver", f"the request is for hotkey {receiver}, this is {self.receiver}")
        try:
            good = Keypair(ss58_address=caller).verify(text, signature)
        except ValueError:  # no such address, or bytes that are no signature
            good = False
        if not good:
            raise Refusal(401, "signature", "the signature does not belong to this caller, receiver and nonce")


def _address(text: str) -> str:
    """One spelling of an address; empty for what is none."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return ""
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)

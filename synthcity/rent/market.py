"""The market of rented machines (Basilica) by plain HTTP.

Its own SDK waits for 20 minutes, drops status codes and ``Retry-After``, and calls a failed stop a success. What reads
is asked again where that may help; what starts or stops is asked once: whoever asks has to look what became of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import TypeVar
from urllib.parse import quote

from synthcity.errors import ConfigError, RentError
from synthcity.rent import replies
from synthcity.rent.config import Kind
from synthcity.rent.connection import Answer, Connection, NotReached, Passing, Patience, steady_time
from synthcity.rent.offers import Offer
from synthcity.rent.replies import Listed, Started, Undecodable
from synthcity.settings import Secret, Settings

T = TypeVar("T")
_ROOT = "/v2/secure-cloud"
_OFFERS: dict[Kind, str] = {"gpu": f"{_ROOT}/gpu-prices", "cpu": f"{_ROOT}/cpu-prices"}
_RENTALS: dict[Kind, str] = {"gpu": f"{_ROOT}/rentals", "cpu": f"{_ROOT}/cpu-rentals"}
_BILLING = {402: "the account's balance is too low", 404: "the offer is gone", 429: "it limits the rate of requests"}


class Refused(RentError):
    """The market has certainly not started a machine."""


class OfferGone(Refused):
    """The market has no such offer any more; another one may do."""


class Unknown(RentError):
    """Whether the market has started a machine is not known; a list will tell."""


@dataclass(frozen=True, kw_only=True)
class Listing:
    """What both lists of rentals show.

    Attributes:
        taken: Unix seconds by our clock before the first was asked for.
        rows: of both.
        problem: why it is not whole, in a sentence; empty where it is.
        skew: seconds that the market's clock is ahead of ours; None where it does not tell.
    """

    taken: float
    rows: tuple[Listed, ...]
    problem: str
    skew: float | None

    @property
    def is_whole(self) -> bool:
        """Whether a rental that it lacks can be taken for absent."""
        return not self.problem


class Market:
    """A client of one account. Use from any thread, and as a context manager."""

    def __init__(
        self,
        url: str,
        token: Secret,
        *,
        patience: Patience | None = None,
        now: Callable[[], float] = steady_time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Connect when first asked.

        Raises:
            ConfigError: there is no token, or it would travel in the clear.
        """
        self.url, self.now, self._sleep, self._patience = url, now, sleep, patience or Patience()
        self._connection = Connection(url, token, self._patience, now, sleep)

    @classmethod
    def of(cls, settings: Settings) -> Market:
        """Return the market of the settings; raises as its constructor."""
        return cls(settings.basilica_api_url, settings.basilica_api_token)

    def __enter__(self) -> Market:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._connection.close()

    def offers(self, kind: Kind) -> list[Offer]:
        """Return what is on offer.

        Raises:
            ConfigError: the token is not accepted.
            RentError: the market does not tell.
        """
        return self._read(f"{_OFFERS[kind]}?available_only=true", lambda body: replies.read_offers(body, kind))

    def rentals(self) -> Listing:
        """Return all rentals of the account, of both lists, or of the one that can be had.

        Raises:
            ConfigError: the token is not accepted.
            RentError: neither can be had.
        """
        taken, rows, problems = self.now(), list[Listed](), list[str]()
        for kind, path in _RENTALS.items():
            try:
                found, is_whole = self._read(path, lambda body, k=kind: replies.read_rentals(body, k))  # type: ignore[misc]
            except NotReached:  # nor would the other be
                raise
            except RentError as error:
                problems.append(str(error))
                continue
            rows += found
            problems += [] if is_whole else [f"the market's list of {kind} rentals is not whole"]
        if len(problems) == len(_RENTALS) and not rows:
            raise RentError(problems[0])
        return Listing(taken=taken, rows=tuple(rows), problem="; ".join(problems), skew=self._connection.skew)

    def key_id(self, public_key: str) -> str:
        """Return the market's id of an SSH key; it is registered where the account has none.

        Raises:
            ConfigError: the account has another key, which is left as it is; or as ``offers``.
            RentError: the market does not tell.
        """
        if known := self.find_key(public_key):
            return known
        body = {"name": "synthcity", "public_key": public_key}
        found = self._decoded(self._connection.ask("POST", "/ssh-keys", body), replies.read_key)
        if found is None:
            raise RentError(f"the market at {self.url} has not kept the SSH key; try again later")
        return _id_of(found, public_key)

    def find_key(self, public_key: str) -> str:
        """Return the market's id of an SSH key; empty where the account has none. Raises as ``key_id``."""
        found = self._read("/ssh-keys", replies.read_key)
        return "" if found is None else _id_of(found, public_key)

    def start(self, kind: Kind, offer: str, name: str, key_id: str) -> Started:
        """Start a machine under a name of its own.

        Raises:
            Refused: none was started; ``OfferGone`` where that lies with the offer.
            Unknown: one may have been; look in a list for the name.
            ConfigError: the token is not accepted.
        """
        body = {"name": name, "offering_id": offer, "ssh_public_key_id": key_id}
        later = f"whether {name} was started a list will tell"
        try:
            answer = self._connection.ask("POST", f"{_RENTALS[kind]}/start", body, seconds=self._patience.start)
        except NotReached as error:
            raise Refused(str(error)) from error
        except Passing as error:
            raise Unknown(f"{error}; {later}") from error
        if answer.status in _BILLING:
            kind_of = OfferGone if answer.status == 404 else Refused
            raise kind_of(
                f"the market starts no machine: {_BILLING[answer.status]} ({self._connection.excerpt(answer)})"
            )
        if answer.status not in (200, 201):
            self._connection.hold_token(answer)
            raise Unknown(f"{self._connection.fault(answer)}; {later}")
        try:
            return replies.read_start(answer.body)
        except Undecodable as error:
            raise Unknown(
                f"the market's answer is damaged ({error}); whether {name} was started a list will tell"
            ) from error

    def stop(self, kind: Kind, id_or_name: str) -> None:
        """Ask that a machine ends; that it did only a list can tell.

        Raises:
            ConfigError: the token is not accepted.
            RentError: the market refuses, or does not answer.
        """
        # a machine that runs costs more than a market's pause is worth
        answer = self._connection.ask("POST", f"{_RENTALS[kind]}/{quote(id_or_name, safe='')}/stop", {}, pauses=False)
        if answer.status != 404 and not answer.is_success:
            self._connection.hold_token(answer)
            raise RentError(f"the market has not ended {id_or_name}: {self._connection.fault(answer)}")

    def _read(self, path: str, decode: Callable[[bytes], T]) -> T:
        for attempt in range(1, self._patience.attempts + 1):
            try:
                return self._decoded(self._connection.ask("GET", path), decode)
            except Passing:
                if attempt == self._patience.attempts:
                    raise
                self._sleep(self._patience.first_wait * 2.0 ** (attempt - 1))
        raise AssertionError("no attempt was made")

    def _decoded(self, answer: Answer, decode: Callable[[bytes], T]) -> T:
        connection = self._connection
        if not answer.is_success:
            connection.hold_token(answer)
            raise Passing(connection.fault(answer)) if answer.may_pass else RentError(connection.fault(answer))
        try:
            return decode(answer.body)
        except Undecodable as error:
            raise Passing(f"the market at {self.url} answers with something else: {error}") from error


def _id_of(found: tuple[str, str, str], public_key: str) -> str:
    id_, name, text = found
    if text.split()[:2] != public_key.split()[:2]:
        raise ConfigError(f"the account has another SSH key, {name!r}; use its private half, or remove it there")
    return id_

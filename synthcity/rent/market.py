"""The market of rented machines (Basilica) by plain HTTP.

Its own SDK waits for 20 minutes, drops status codes and ``Retry-After``, and calls a failed stop a success. What reads
is asked again where that may help; what starts or stops is asked once: whoever asks has to look what became of it.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import cache
from types import TracebackType
from typing import TypeVar
from urllib.parse import quote, urlsplit

import httpx

from synthcity.errors import ConfigError, RentError
from synthcity.rent import replies
from synthcity.rent.config import Kind
from synthcity.rent.offers import Offer
from synthcity.rent.replies import Listed, Started, Undecodable
from synthcity.settings import Secret, Settings

T = TypeVar("T")
_ROOT = "/v2/secure-cloud"
_OFFERS: dict[Kind, str] = {"gpu": f"{_ROOT}/gpu-prices", "cpu": f"{_ROOT}/cpu-prices"}
_RENTALS: dict[Kind, str] = {"gpu": f"{_ROOT}/rentals", "cpu": f"{_ROOT}/cpu-rentals"}
_LARGEST = 16 << 20  # bytes of an answer
_LOCAL = ("127.0.0.1", "localhost", "::1")
_BILLING = {402: "the account's balance is too low", 404: "the offer is gone", 429: "it limits the rate of requests"}


class Refused(RentError):
    """The market has certainly not started a machine."""


class Unknown(RentError):
    """Whether the market has started a machine is not known; a list will tell."""


@dataclass(frozen=True, kw_only=True)
class Patience:
    """Seconds to wait for the market: to connect, for an answer that starts a machine, and for any other one.

    ``attempts`` of what only reads are made; a pause that the market asks for is kept up to ``longest_pause`` seconds.
    """

    connect: float = 10.0
    start: float = 60.0
    answer: float = 20.0
    attempts: int = 3
    first_wait: float = 0.5
    longest_pause: float = 10.0


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


@dataclass(frozen=True)
class _Answer:
    status: int
    body: bytes


class _Passing(RentError):
    """What may be over soon."""


class Market:
    """A client of one account. Use from any thread, and as a context manager."""

    def __init__(
        self,
        url: str,
        token: Secret,
        *,
        patience: Patience | None = None,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Connect when first asked.

        Raises:
            ConfigError: there is no token, or it would travel in the clear.
        """
        if not token:
            raise ConfigError("BASILICA_API_TOKEN is not set; rented machines need a token of the market")
        if urlsplit(url).scheme != "https" and urlsplit(url).hostname not in _LOCAL:
            raise ConfigError(f"BASILICA_API_URL must begin with https://, got {url!r}; the token goes there")
        self.url, self._token, self.now = url, token, now
        self._patience = patience or Patience()
        self._sleep = sleep
        self._not_before = 0.0  # Unix seconds; the market has asked for a pause until then
        self._skew: float | None = None
        self._client = httpx.Client(base_url=url, verify=_certificates())

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
        self._client.close()

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
            except _NotReached:  # nor would the other be
                raise
            except RentError as error:
                problems.append(str(error))
                continue
            rows += found
            problems += [] if is_whole else [f"the market's list of {kind} rentals is not whole"]
        if len(problems) == len(_RENTALS) and not rows:
            raise RentError(problems[0])
        return Listing(taken=taken, rows=tuple(rows), problem="; ".join(problems), skew=self._skew)

    def key_id(self, public_key: str) -> str:
        """Return the market's id of an SSH key; it is registered where the account has none.

        Raises:
            ConfigError: the account has another key, which is left as it is; or as ``offers``.
            RentError: the market does not tell.
        """
        found = self._read("/ssh-keys", replies.read_key)
        if found is None:
            body = {"name": "synthcity", "public_key": public_key}
            found = self._decoded(self._ask("POST", "/ssh-keys", body), replies.read_key)
        if found is None:
            raise RentError(f"the market at {self.url} has not kept the SSH key; try again later")
        id_, name, text = found
        if text.split()[:2] != public_key.split()[:2]:
            raise ConfigError(f"the account has another SSH key, {name!r}; use its private half, or remove it there")
        return id_

    def start(self, kind: Kind, offer: str, name: str, key_id: str) -> Started:
        """Start a machine under a name of its own.

        Raises:
            Refused: none was started.
            Unknown: one may have been; look in a list for the name.
            ConfigError: the token is not accepted.
        """
        body = {"name": name, "offering_id": offer, "ssh_public_key_id": key_id}
        later = f"whether {name} was started a list will tell"
        try:
            answer = self._ask("POST", f"{_RENTALS[kind]}/start", body, seconds=self._patience.start)
        except _NotReached as error:
            raise Refused(str(error)) from error
        except _Passing as error:
            raise Unknown(f"{error}; {later}") from error
        if answer.status in _BILLING:
            raise Refused(f"the market starts no machine: {_BILLING[answer.status]} ({self._excerpt(answer)})")
        if answer.status not in (200, 201):
            self._hold_token(answer)
            raise Unknown(f"{self._fault(answer)}; {later}")
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
        answer = self._ask("POST", f"{_RENTALS[kind]}/{quote(id_or_name, safe='')}/stop", {})
        if answer.status != 404 and not 200 <= answer.status < 300:
            self._hold_token(answer)
            raise RentError(f"the market has not ended {id_or_name}: {self._fault(answer)}")

    def _read(self, path: str, decode: Callable[[bytes], T]) -> T:
        for attempt in range(1, self._patience.attempts + 1):
            try:
                return self._decoded(self._ask("GET", path), decode)
            except _Passing:
                if attempt == self._patience.attempts:
                    raise
                self._sleep(self._patience.first_wait * 2.0 ** (attempt - 1))
        raise AssertionError("no attempt was made")

    def _decoded(self, answer: _Answer, decode: Callable[[bytes], T]) -> T:
        if not 200 <= answer.status < 300:
            self._hold_token(answer)
            raise _Passing(self._fault(answer)) if _may_pass(answer.status) else RentError(self._fault(answer))
        try:
            return decode(answer.body)
        except Undecodable as error:
            raise _Passing(
                f"the market at {self.url} answers with something else than was asked for: {error}"
            ) from error

    def _ask(self, method: str, path: str, body: dict[str, str] | None = None, *, seconds: float = 0.0) -> _Answer:
        """Ask once, after the pause that the market has asked for.

        Raises:
            _NotReached: nothing was sent.
            _Passing: nothing came back.
        """
        self._pause()
        begun = time.monotonic()
        limit = seconds or self._patience.answer
        timeout = httpx.Timeout(limit, connect=min(limit, self._patience.connect))
        headers = {"Authorization": f"Bearer {self._token.reveal()}"}
        try:
            with self._client.stream(method, path, json=body, headers=headers, timeout=timeout) as response:
                self._note(response)
                content = bytearray()
                for piece in response.iter_bytes():
                    content += piece
                    if len(content) > _LARGEST or time.monotonic() - begun > limit:
                        raise _Passing(f"the market at {self.url} sends its answer too slowly, or too much")
                return _Answer(response.status_code, bytes(content))
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise _NotReached(self._away(error)) from None
        except httpx.HTTPError as error:
            raise _Passing(self._away(error)) from None

    def _pause(self) -> None:
        left = self._not_before - self.now()
        if left > self._patience.longest_pause:
            raise _NotReached(f"the market at {self.url} asks for a pause of {left:.0f} more seconds")
        if left > 0:
            self._sleep(left)

    def _note(self, response: httpx.Response) -> None:
        """Note what an answer's headers tell: how long to pause, and the time."""
        asked = response.headers.get("Retry-After", "")
        if response.status_code in (429, 503) and asked.isdecimal() and len(asked) < 6:
            self._not_before = self.now() + int(asked)
        try:
            self._skew = parsedate_to_datetime(response.headers.get("Date", "")).timestamp() - self.now()
        except ValueError:
            self._skew = None

    def _hold_token(self, answer: _Answer) -> None:
        if answer.status == 401:
            raise ConfigError("the market does not accept BASILICA_API_TOKEN; take a valid one")
        if answer.status == 403:
            scopes = "secure_cloud and rentals:create, list, view and stop"
            raise ConfigError(f"BASILICA_API_TOKEN may not do this; it needs the scopes {scopes}")

    def _away(self, error: Exception) -> str:
        return self._hidden(f"the market at {self.url} cannot be reached ({type(error).__name__}: {error})")

    def _fault(self, answer: _Answer) -> str:
        return f"the market at {self.url} fails (HTTP {answer.status}: {self._excerpt(answer)})"

    def _excerpt(self, answer: _Answer) -> str:
        return self._hidden(" ".join(answer.body.decode("utf-8", "replace").split()))[:200] or "no reason given"

    def _hidden(self, text: str) -> str:
        return text.replace(self._token.reveal(), "[secret]")


class _NotReached(_Passing):
    """Nothing was sent."""


@cache
def _certificates() -> ssl.SSLContext:
    """Read the certificates once a process."""
    return httpx.create_ssl_context()


def _may_pass(status: int) -> bool:
    return status in (408, 425, 429) or status >= 500

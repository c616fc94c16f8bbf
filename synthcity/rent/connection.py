"""Asking the market over HTTP: time limits, pauses, and errors that never show the token."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import cache
from urllib.parse import urlsplit

import httpx

from synthcity.errors import ConfigError, RentError
from synthcity.settings import Secret

_LARGEST = 16 << 20  # bytes of an answer
_LONGEST_PAUSE = 300  # seconds; a market that is asked no more often is not burdened, and what runs must be seen
_MOVING = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # goes on while the machine sleeps, where it can
_LOCAL = ("127.0.0.1", "localhost", "::1")


def _moved() -> float:
    return time.clock_gettime(_MOVING)


_BEGAN = time.time() - _moved()


def steady_time() -> float:
    """Return Unix seconds: the machine's clock as this process found it, and what has passed since.

    Leases, pauses and costs are measured by it. Whoever sets the clock back by ten hours would else give each lease
    ten more, and take the cost of as many.
    """
    return _BEGAN + _moved()


class Passing(RentError):
    """What may be over soon; whether the market has done what it was asked for is not known."""


class NotReached(Passing):
    """Nothing was sent."""


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


@dataclass(frozen=True)
class Answer:
    """An answer, whatever its status."""

    status: int
    body: bytes

    @property
    def is_success(self) -> bool:
        """Whether it says that all is well."""
        return 200 <= self.status < 300

    @property
    def may_pass(self) -> bool:
        """Whether asking again may help."""
        return self.status in (408, 425, 429) or self.status >= 500


class Connection:
    """Connections to one account. Use from any thread.

    ``skew`` is by how many seconds the market's clock was ahead of ours in its last answer; None where it did not tell.
    """

    def __init__(
        self, url: str, token: Secret, patience: Patience, now: Callable[[], float], sleep: Callable[[float], None]
    ) -> None:
        """Connect when first asked.

        Raises:
            ConfigError: there is no token, or it would travel in the clear.
        """
        if not token:
            raise ConfigError("BASILICA_API_TOKEN is not set; rented machines need a token of the market")
        if urlsplit(url).scheme != "https" and urlsplit(url).hostname not in _LOCAL:
            raise ConfigError(f"BASILICA_API_URL must begin with https://, got {url!r}; the token goes there")
        self.url, self._token, self._patience, self._now, self._sleep = url, token, patience, now, sleep
        self.skew: float | None = None
        self._not_before = 0.0  # Unix seconds; the market has asked for a pause until then
        self._client = httpx.Client(base_url=url, verify=_certificates())

    def close(self) -> None:
        """Close them all."""
        self._client.close()

    def ask(
        self, method: str, path: str, body: dict[str, str] | None = None, *, seconds: float = 0.0, pauses: bool = True
    ) -> Answer:
        """Ask once.

        Args:
            seconds: for the answer; 0 is what others have.
            pauses: keep a pause that the market has asked for.

        Raises:
            NotReached: nothing was sent.
            Passing: no whole answer came back.
        """
        if pauses:
            self._pause()
        begun, limit = time.monotonic(), seconds or self._patience.answer
        timeout = httpx.Timeout(limit, connect=min(limit, self._patience.connect))
        headers = {"Authorization": f"Bearer {self._token.reveal()}"}
        try:
            with self._client.stream(method, path, json=body, headers=headers, timeout=timeout) as response:
                self._note(response)
                content = bytearray()
                for piece in response.iter_bytes():
                    content += piece
                    if len(content) > _LARGEST or time.monotonic() - begun > limit:
                        raise Passing(f"the market at {self.url} sends its answer too slowly, or too much")
                return Answer(response.status_code, bytes(content))
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise NotReached(self._away(error)) from None
        except httpx.HTTPError as error:
            raise Passing(self._away(error)) from None

    def hold_token(self, answer: Answer) -> None:
        """Hold an answer against those that mean that the token is wrong.

        Raises:
            ConfigError: it is not accepted, or may not do this.
        """
        if answer.status == 401:
            raise ConfigError("the market does not accept BASILICA_API_TOKEN; take a valid one")
        if answer.status == 403:
            scopes = "secure_cloud and rentals:create, list, view and stop"
            raise ConfigError(f"BASILICA_API_TOKEN may not do this; it needs the scopes {scopes}")

    def fault(self, answer: Answer) -> str:
        """Return in a sentence what an answer says, where it is no success."""
        return f"the market at {self.url} fails (HTTP {answer.status}: {self.excerpt(answer)})"

    def excerpt(self, answer: Answer) -> str:
        """Return how an answer begins, without the token."""
        text = self._hidden(" ".join(answer.body.decode("utf-8", "replace").split()))[:200]
        return "".join(one if one.isprintable() else "?" for one in text) or "no reason given"

    def _pause(self) -> None:
        left = self._not_before - self._now()
        if left > self._patience.longest_pause:
            raise NotReached(f"the market at {self.url} asks for a pause of {left:.0f} more seconds")
        if left > 0:
            self._sleep(left)

    def _note(self, response: httpx.Response) -> None:
        """Note what an answer's headers tell: how long to pause, and the time."""
        asked = response.headers.get("Retry-After", "")
        if response.status_code in (429, 503) and asked.isdecimal() and len(asked) < 6:
            self._not_before = self._now() + min(int(asked), _LONGEST_PAUSE)
        try:
            self.skew = parsedate_to_datetime(response.headers.get("Date", "")).timestamp() - self._now()
        except (ValueError, OverflowError):
            self.skew = None

    def _away(self, error: Exception) -> str:
        return self._hidden(f"the market at {self.url} cannot be reached ({type(error).__name__}: {error})")

    def _hidden(self, text: str) -> str:
        return text.replace(self._token.reveal(), "[secret]")


@cache
def _certificates() -> ssl.SSLContext:
    """Read the certificates once a process."""
    return httpx.create_ssl_context()

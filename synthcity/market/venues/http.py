"""Asking a venue over HTTP: time limits, patience, and errors that say what to do."""

from __future__ import annotations

import json
import logging
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import httpx
from tenacity import RetryCallState, RetryError, Retrying, retry_if_exception_type, stop_after_attempt

from synthcity.errors import ConfigError, SourceError

_PAUSE_SECONDS = 10.0  # for a venue that wants one and does not say how long
_LARGEST_ANSWER = 256 * 2**20  # bytes; more is no answer but a fault, and must not take the memory
Query = Mapping[str, str | int]
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long to wait for a venue.

    Attributes:
        attempts: requests made before giving up.
        first_wait_seconds: pause after the first failure; it doubles after each further one.
        longest_wait_seconds: no pause exceeds it; a venue that asks for a longer one is given up at once.
        timeout_seconds: for connecting and for each read; a whole answer may take four times as long.
        pause_seconds: between successful requests, to stay below the venue's limits.
    """

    attempts: int = 6
    first_wait_seconds: float = 1.0
    longest_wait_seconds: float = 120.0
    timeout_seconds: float = 30.0
    pause_seconds: float = 0.1

    def wait(self, attempt: int) -> float:
        """Seconds to wait after failure number ``attempt`` (from 0) when the venue names none."""
        return min(self.first_wait_seconds * 2.0**attempt, self.longest_wait_seconds)


class _PassingError(Exception):
    """Trouble that may be over soon; how long the venue asks to wait, and for how long this address must pause."""

    def __init__(self, problem: str, *, asked_seconds: float | None = None, pause_seconds: float = 0.0) -> None:
        super().__init__(problem)
        self.asked_seconds, self.pause_seconds = asked_seconds, pause_seconds


class VenueClient:
    """One venue's HTTP endpoint. Use as a context manager."""

    def __init__(
        self,
        venue: str,
        url: str,
        setting: str,
        patience: Patience,
        remedy: str = "what was fetched is stored, repeat the command",
        other_region: str = "",
    ) -> None:
        """Args: for error texts, ``setting`` is the environment variable that moves ``url``, ``remedy`` what helps."""
        self._venue, self._url, self._setting, self._patience = venue, url, setting, patience
        self._remedy, self._other_region = remedy, other_region
        self._client = httpx.Client(timeout=patience.timeout_seconds, verify=_certificates())

    def __enter__(self) -> VenueClient:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def request(
        self, method: str, path: str, *, missing: int | None = None, params: Query | None = None, json: object = None
    ) -> object:
        """Return the decoded JSON of a successful answer, None for the status that means there is ``missing`` data.

        Overload (429), server errors (5xx), time-outs and broken connections are tried again.

        Raises:
            ConfigError: the base URL is none.
            SourceError: the venue refuses, fails in every attempt, or sends what cannot be decoded.
        """
        body = self._patiently(method, path, missing, params, json, _LARGEST_ANSWER)
        answer = None if body is None else self._decode(body)
        time.sleep(self._patience.pause_seconds)
        return answer

    def fetch(self, path: str, most_bytes: int) -> bytes:
        """Return the file at ``path`` as it is, of ``most_bytes`` at most; tries again, and raises, as ``request``."""
        body = self._patiently("GET", path, None, None, None, most_bytes)
        assert body is not None
        return body

    def _patiently(
        self, method: str, path: str, missing: int | None, params: Query | None, asked: object, most_bytes: int
    ) -> bytes | None:
        attempts = Retrying(
            stop=stop_after_attempt(self._patience.attempts),
            retry=retry_if_exception_type(_PassingError),
            wait=self._wait,
            sleep=time.sleep,
        )
        try:
            return attempts(self._ask, method, path, missing, params, asked, most_bytes)
        except RetryError as error:
            last = error.last_attempt.exception()
            assert isinstance(last, _PassingError)
            raise _busy(
                f"{self._venue} {last}, {self._patience.attempts} times in a row; "
                f"{self._remedy} later or set {self._setting}",
                last.pause_seconds,
            ) from last

    def _wait(self, state: RetryCallState) -> float:
        assert state.outcome is not None
        error = state.outcome.exception()
        assert isinstance(error, _PassingError)
        wait = self._patience.wait(state.attempt_number - 1) if error.asked_seconds is None else error.asked_seconds
        _log.info("%s %s; waiting %.1f s", self._venue, error, wait)
        return wait

    def _ask(
        self, method: str, path: str, missing: int | None, params: Query | None, asked: object, most_bytes: int
    ) -> bytes | None:
        try:
            with self._client.stream(method, self._url.rstrip("/") + path, params=params, json=asked) as response:
                body = self._read(response, most_bytes)
        except (httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
            raise ConfigError(f"{self._setting} is no URL: {self._url!r} ({error})") from error
        except httpx.TransportError as error:
            raise _PassingError(f"cannot be reached at {self._url} ({type(error).__name__}: {error})") from error
        except httpx.DecodingError as error:  # garbled compression
            raise self._foreign(f"data that cannot be unpacked ({error})") from error
        if response.status_code == 200:
            return body
        if response.status_code == missing:
            return None
        raise self._refusal(response, body)

    def _read(self, response: httpx.Response, most_bytes: int) -> bytes:
        """Return the whole body; a venue that drips or never ends must not hold a thread or the memory for ever."""
        body, begin = bytearray(), time.monotonic()
        for piece in response.iter_bytes():
            body += piece
            if len(body) > most_bytes:
                raise self._foreign(f"more than {most_bytes // 2**20} MiB")
            if time.monotonic() - begin > 4 * self._patience.timeout_seconds:
                raise _PassingError(f"at {self._url} sends its answer too slowly ({len(body)} bytes so far)")
        return bytes(body)

    def _decode(self, body: bytes) -> object:
        try:
            return json.loads(body)
        except (ValueError, RecursionError) as error:  # no UTF-8, no JSON, a number of 5,000 digits; too deep
            raise self._foreign("something else than JSON") from error

    def _foreign(self, what: str) -> SourceError:
        return SourceError(f"{self._venue} at {self._url} answers with {what}; check {self._setting}")

    def _refusal(self, response: httpx.Response, body: bytes) -> Exception:
        """Say why an answer is none: passing trouble, or a refusal where asking again is of no use."""
        status, asked = response.status_code, response.headers.get("Retry-After", "")
        if status == 451:
            return SourceError(
                f"{self._venue} refuses this region (HTTP 451); "
                f"set {self._setting} to an endpoint that serves it"
                + (f", e.g. {self._other_region}" if self._other_region else "")
            )
        if status == 418:
            wait = asked or "an unknown number of"
            return _busy(
                f"{self._venue} has banned this address for {wait} seconds (HTTP 418); {self._remedy} after that",
                float(asked) if asked.isdecimal() else _PAUSE_SECONDS,
            )
        if status != 429 and status < 500:
            return SourceError(f"{self._venue} refuses the request (HTTP {status}: {_excerpt(body)})")
        if asked.isdecimal() and int(asked) > self._patience.longest_wait_seconds:
            return _busy(f"{self._venue} asks for a pause of {asked} seconds; {self._remedy} after that", float(asked))
        fault = "limits the rate of requests (HTTP 429)"
        if status != 429:
            fault = f"fails (HTTP {status}: {_excerpt(body)})"
        return _PassingError(
            fault,
            asked_seconds=float(asked) if asked.isdecimal() else None,
            pause_seconds=_PAUSE_SECONDS if status == 429 else 0.0,
        )


@cache
def _certificates() -> ssl.SSLContext:
    """Read the certificates once a process: it takes longer than most requests."""
    return httpx.create_ssl_context()


def _busy(text: str, pause_seconds: float) -> SourceError:
    error = SourceError(text)
    error.pause_seconds = pause_seconds
    return error


def _excerpt(body: bytes) -> str:
    return " ".join(body.decode("utf-8", "replace").split())[:200] or "no reason given"

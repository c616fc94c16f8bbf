"""Asking a venue over HTTP: time limits, patience, and errors that say what to do."""

from __future__ import annotations

import logging
import ssl
import time
from dataclasses import dataclass
from functools import cache
from typing import Any

import httpx

from synthcity.errors import ConfigError, SourceError

_PAUSE_SECONDS = 10.0  # for a venue that wants one and does not say how long
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long to wait for a venue.

    Attributes:
        attempts: requests made before giving up.
        first_wait_seconds: pause after the first failure; it doubles after each further one.
        longest_wait_seconds: no pause exceeds it; a venue that asks for a longer one is given up at once.
        timeout_seconds: for connecting and for each read.
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


class VenueClient:
    """One venue's HTTP endpoint. Use as a context manager."""

    def __init__(
        self,
        venue: str,
        url: str,
        setting: str,
        patience: Patience,
        remedy: str = "what was fetched is stored, repeat the command",
    ) -> None:
        """Args: ``setting`` is the environment variable that moves ``url``, ``remedy`` what helps: for error texts."""
        self._venue, self._url, self._setting, self._patience = venue, url, setting, patience
        self._remedy = remedy
        self._client = httpx.Client(timeout=patience.timeout_seconds, verify=_certificates())

    def __enter__(self) -> VenueClient:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def request(self, method: str, path: str, *, missing: int | None = None, **arguments: Any) -> Any:
        """Return the decoded JSON of a successful answer, None for the status that means there is ``missing`` data.

        Overload (429), server errors (5xx), time-outs and broken connections are tried again.

        Raises:
            ConfigError: the base URL is none.
            SourceError: the venue refuses, or fails in every attempt.
        """
        problem, wait, pause = "", 0.0, 0.0
        for attempt in range(self._patience.attempts):
            time.sleep(wait)
            wait = self._patience.wait(attempt)
            try:
                response = self._client.request(method, self._url.rstrip("/") + path, **arguments)
            except (httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
                raise ConfigError(f"{self._setting} is no URL: {self._url!r} ({error})") from error
            except httpx.TransportError as error:
                problem, pause = f"cannot be reached at {self._url} ({type(error).__name__}: {error})", 0.0
                continue
            if response.status_code == 200:
                time.sleep(self._patience.pause_seconds)
                return self._decode(response)
            if response.status_code == missing:
                time.sleep(self._patience.pause_seconds)
                return None
            problem = self._refusal(response)
            pause = _PAUSE_SECONDS if response.status_code == 429 else 0.0
            wait = self._asked_wait(response, wait)
            _log.info("%s %s; waiting %.1f s", self._venue, problem, wait)
        raise _busy(
            f"{self._venue} {problem}, {self._patience.attempts} times in a row; "
            f"{self._remedy} later or set {self._setting}",
            pause,
        )

    def _decode(self, response: httpx.Response) -> Any:
        try:
            return response.json()
        except ValueError as error:
            raise SourceError(
                f"{self._venue} at {self._url} answers with something else than JSON; check {self._setting}"
            ) from error

    def _refusal(self, response: httpx.Response) -> str:
        """Say why an answer is none; raise where asking again is of no use."""
        status = response.status_code
        if status == 451:
            example = ", e.g. https://data-api.binance.vision" if self._venue == "binance" else ""
            raise SourceError(
                f"{self._venue} refuses this region (HTTP 451); "
                f"set {self._setting} to an endpoint that serves it{example}"
            )
        if status == 418:
            wait = response.headers.get("Retry-After", "an unknown number of")
            raise _busy(
                f"{self._venue} has banned this address for {wait} seconds (HTTP 418); {self._remedy} after that",
                float(wait) if wait.isdecimal() else _PAUSE_SECONDS,
            )
        if status == 429:
            return "limits the rate of requests (HTTP 429)"
        if status >= 500:
            return f"fails (HTTP {status}: {_excerpt(response)})"
        raise SourceError(f"{self._venue} refuses the request (HTTP {status}: {_excerpt(response)})")

    def _asked_wait(self, response: httpx.Response, otherwise: float) -> float:
        asked = response.headers.get("Retry-After", "")
        if not asked.isdecimal():
            return otherwise
        if int(asked) > self._patience.longest_wait_seconds:
            raise _busy(f"{self._venue} asks for a pause of {asked} seconds; {self._remedy} after that", float(asked))
        return float(asked)


@cache
def _certificates() -> ssl.SSLContext:
    """Read the certificates once a process: it takes longer than most requests."""
    return httpx.create_ssl_context()


def _busy(text: str, pause_seconds: float) -> SourceError:
    error = SourceError(text)
    error.pause_seconds = pause_seconds
    return error


def _excerpt(response: httpx.Response) -> str:
    return " ".join(response.text.split())[:200] or "no reason given"

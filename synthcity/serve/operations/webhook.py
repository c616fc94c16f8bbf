"""Tells one address of alarms, by ``POST`` of JSON, on a thread of its own: nobody waits for it."""

from __future__ import annotations

import logging
import queue
import threading
from dataclasses import asdict
from urllib.parse import urlsplit

import httpx

from synthcity.errors import ConfigError
from synthcity.serve.operations.view import View
from synthcity.settings import Secret

ATTEMPTS, FIRST_PAUSE_SECONDS, TIMEOUT_SECONDS = 4, 2.0, 10.0
LEAST_SECONDS = 30.0
"""Between two messages: what flaps is told as it stands then."""

_MOST_WAITING = 16
_log = logging.getLogger(__name__)


class Webhook:
    """Tells when alarms begin, change and end, and what was decided. Use as a context manager.

    A message holds ``miner``, ``verdict`` (fine, warning, critical), ``text`` in words, and ``alarms``. The address may
    hold a key, so that it is never told, not even where it fails.
    """

    def __init__(self, url: Secret, *, pause_seconds: float = FIRST_PAUSE_SECONDS) -> None:
        """Args: ``pause_seconds`` before the second attempt; each later pause is twice as long.

        Raises:
            ConfigError: ``url`` is none of HTTP.
        """
        if not _is_http(url.reveal()):
            raise ConfigError("SYNTHCITY_ALARM_WEBHOOK is no address of HTTP; set it to the whole of https://...")
        self.problem: str | None = None
        self._url, self._pause = url, pause_seconds
        self._told: frozenset[str] = frozenset()
        self._told_at = 0.0
        self._waiting: queue.Queue[dict[str, object] | None] = queue.Queue(_MOST_WAITING)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="webhook", daemon=True)

    def __enter__(self) -> Webhook:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        try:
            self._waiting.put_nowait(None)
        except queue.Full:
            return
        self._thread.join(TIMEOUT_SECONDS)

    def show(self, view: View) -> None:
        """Tell what has changed since the last message, soon."""
        found, now = view.news, view.facts.now
        if found == self._told or 0 <= now - self._told_at < LEAST_SECONDS:
            return
        lines = [f"{one.severity}: {one.text}" for one in view.alarms] or ["no alarm"]
        message: dict[str, object] = {
            "miner": view.facts.title,
            "verdict": view.severity.value if view.severity else "fine",
            "text": "\n".join([view.facts.title, *lines, *view.notes]),
            "alarms": [asdict(one) for one in view.alarms],
            "at": now,
        }
        try:
            self._waiting.put_nowait(message)
        except queue.Full:  # it is told with the next change
            return
        self._told, self._told_at = found, now

    def _follow(self) -> None:
        while (message := self._waiting.get()) is not None:
            problem = self._send(message)
            if problem is not None and self.problem is None:
                _log.warning("%s", problem)
            self.problem = problem

    def _send(self, message: dict[str, object]) -> str | None:
        """Try a few times; return what went wrong at last."""
        reason = ""
        for attempt in range(ATTEMPTS):
            if attempt and self._stopping.wait(self._pause * 2.0 ** (attempt - 1)):
                break
            try:
                status = self._post(message)
                if status < 300:
                    return None
                reason = f"status {status}"
            except (httpx.HTTPError, ValueError) as error:
                reason = type(error).__name__  # its words may hold the address
        return f"the webhook for alarms takes no message ({reason}); see SYNTHCITY_ALARM_WEBHOOK"

    def _post(self, message: dict[str, object]) -> int:
        """Status of one attempt. By the transport itself, since a client of httpx logs the whole address."""
        times = {"timeout": httpx.Timeout(TIMEOUT_SECONDS).as_dict()}
        request = httpx.Request("POST", self._url.reveal(), json=message, extensions=times)
        with httpx.HTTPTransport() as transport:
            answer = transport.handle_request(request)
            answer.close()
            return answer.status_code


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and bool(httpx.URL(url).host)
    except (ValueError, httpx.InvalidURL):
        return False

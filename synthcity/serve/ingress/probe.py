"""Asks at one's own public door once a second, so that a door that is shut is told within seconds."""

from __future__ import annotations

import http.client
import logging
import threading
import time
from ipaddress import ip_address

_log = logging.getLogger(__name__)
_EVERY_SECONDS, _TIMEOUT_SECONDS = 1.0, 5.0


class Probe:
    """Probes on a thread of its own. Use as a context manager.

    Attributes:
        problem: what is wrong, a sentence; None while the door is open.
    """

    def __init__(
        self, host: str, port: int, *, source: str | None = None, every_seconds: float = _EVERY_SECONDS
    ) -> None:
        """Args: ``source`` is the address of the loopback to ask from, whose share nobody else uses up."""
        self.problem: str | None = None
        address = ip_address(host)
        loopback = "::1" if address.version == 6 else "127.0.0.1"
        self._host, self._port = loopback if address.is_unspecified else host, port
        self._where, self._every = f"{host}:{port}", every_seconds
        self._source = (source, 0) if source and ip_address(self._host).is_loopback and address.version == 4 else None
        self._shut_since: float | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="probe", daemon=True)

    def __enter__(self) -> Probe:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    def ask(self) -> None:
        """Ask once and set ``problem``."""
        reason, now = self._reason(), time.monotonic()
        if reason is None:
            if self._shut_since is not None:
                _log.warning("%s answers again after %.0f s", self._where, now - self._shut_since)
            self._shut_since, self.problem = None, None
            return
        if self._shut_since is None:
            self._shut_since = now
            _log.warning("nobody is answered at %s: %s", self._where, reason)
        self.problem = f"nobody is answered at {self._where} for {now - self._shut_since:.0f} s: {reason}"

    def _reason(self) -> str | None:
        door = http.client.HTTPConnection(self._host, self._port, timeout=_TIMEOUT_SECONDS, source_address=self._source)
        try:
            door.request("GET", "/healthz", headers={"connection": "close"})
            status = door.getresponse().status
        except ConnectionRefusedError:
            return "HAProxy is gone; Ray starts it again"
        except (OSError, http.client.HTTPException) as error:
            return f"HAProxy does not answer ({error or type(error).__name__})"
        finally:
            door.close()
        # 503 is a replica's own word that its model is stuck: the fallback answers, and the replica is replaced
        return None if status in (200, 503) else f"HAProxy has no replica and says {status}"

    def _follow(self) -> None:
        while not self._stopping.wait(self._every):
            self.ask()

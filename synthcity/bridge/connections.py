"""Connections of the bridge: bounded in number and in what they may take until their headers are there."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from uvicorn.protocols.http.h11_impl import H11Protocol

HEADER_SECONDS = 10.0
MOST_WAITING = 256
"""Connections whose headers are not there yet; the oldest of them goes when one more comes."""


class Connection(H11Protocol):
    """One that is closed where its headers take too long, from its first byte on or before it.

    Whoever opens thousands and says nothing loses their own oldest ones; who asks at once is answered meanwhile.
    """

    _waiting: ClassVar[dict[Connection, None]] = {}  # in the order of their beginning

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._wait_no_more()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Go on; with the headers there is a cycle of request and answer, and the wait is over."""
        before = self.cycle
        super().data_received(data)
        if self.cycle is not before:
            self._wait_no_more()

    def on_response_complete(self) -> None:
        """Wait for the next request on the same connection."""
        super().on_response_complete()
        if not self.transport.is_closing() and (self.cycle is None or self.cycle.response_complete):
            self._wait()

    def _wait(self) -> None:
        self._wait_no_more()
        waiting = Connection._waiting
        while len(waiting) >= MOST_WAITING:
            next(iter(waiting))._end()
        waiting[self] = None
        self._deadline = self.loop.call_later(HEADER_SECONDS, self._end)

    def _wait_no_more(self) -> None:
        if Connection._waiting.pop(self, self) is None:
            self._deadline.cancel()

    def _end(self) -> None:
        self._wait_no_more()
        self.transport.abort()

    _deadline: Any = None

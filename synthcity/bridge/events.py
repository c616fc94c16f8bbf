"""What happens in a job while it happens, as server-sent events: each event of its journal, then its end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable

import anyio
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from synthcity.bridge.guard import CALLER
from synthcity.bridge.jobs import board
from synthcity.bridge.jobs.job import is_alive
from synthcity.bridge.jobs.telling import told
from synthcity.bridge.operation import Refused
from synthcity.bridge.place import Place
from synthcity.lines import Event, Tail

MOST_STREAMS = 32
EVERY_SECONDS = 0.5
_BEAT_SECONDS = 15.0


class _Stream(StreamingResponse):
    """A stream that tells when it is over, also where it never began."""

    def __init__(self, events: AsyncIterator[str], closed: Callable[[], None]) -> None:
        super().__init__(events, media_type="text/event-stream", headers={"Cache-Control": "no-store"})
        self._closed = closed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._closed()


class Streams:
    """The streams of one bridge, so many at a time."""

    def __init__(self, place: Place) -> None:
        self._place, self._open = place, 0

    async def answer(self, request: Request) -> Response:
        """Answer ``GET /jobs/{id}/events``; ``Last-Event-ID`` is the number of the last event that was seen."""
        job = await anyio.to_thread.run_sync(
            board.job_of, self._place, request.scope[CALLER].bot, request.path_params["id"]
        )
        seen = request.headers.get("last-event-id", "0")
        if not (seen.isascii() and seen.isdigit() and len(seen) < 10):
            raise Refused(f"Last-Event-ID is the number of an event, got {seen[:80]!r}")
        if self._open >= MOST_STREAMS:
            raise Refused(f"{MOST_STREAMS} streams of events are open already", 429, {"Retry-After": "10"})
        self._open += 1  # here and not where the stream begins, else all that come at once would pass
        return _Stream(self._events(job.id, job.bot, int(seen)), self._close)

    def _close(self) -> None:
        self._open -= 1

    async def _events(self, id: str, bot: str, seen: int) -> AsyncIterator[str]:
        job = board.job_of(self._place, bot, id)
        tail: Tail[Event] = Tail(job.journal, lambda event: event)
        number, silent = 0, 0.0
        while True:
            was_alive = is_alive(self._place.jobs / id)  # before the events, so that none comes after the end
            for event in await anyio.to_thread.run_sync(tail.read):
                number, silent = number + 1, 0.0
                if number > seen:
                    yield f"id: {number}\nevent: {event.get('kind', 'event')}\ndata: {json.dumps(event)}\n\n"
            if not was_alive:
                yield f"event: end\ndata: {json.dumps(told(self._place, job))}\n\n"
                return
            await asyncio.sleep(EVERY_SECONDS)
            silent += EVERY_SECONDS
            if silent >= _BEAT_SECONDS:
                silent = 0.0
                yield ": still there\n\n"

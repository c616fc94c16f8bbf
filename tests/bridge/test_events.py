"""Events of a job, as they come."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest
from starlette.requests import Request
from starlette.types import Message, Receive, Send

from synthcity.bridge import events
from synthcity.bridge.events import Streams
from synthcity.bridge.guard import CALLER, Caller
from synthcity.bridge.jobs import board
from synthcity.bridge.operation import Refused
from synthcity.bridge.place import Place
from tests.bridge.conftest import Running
from tests.bridge.jobs.builders import Launched
from tests.history.builders import started, write_run


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "EVERY_SECONDS", 0.01)


def parsed(reply: httpx.Response) -> list[dict[str, str]]:
    blocks = [block for block in reply.text.split("\n\n") if block and not block.startswith(":")]
    return [dict(line.split(": ", 1) for line in block.splitlines()) for block in blocks]


def test_events_come_once_each_and_then_the_end(bridge: Running, launched: Launched) -> None:
    place = bridge.place
    job = board.start(place, "events", "quick", {}, ["quick"])
    from pathlib import Path

    write_run(Path(job.run), events=[started(), {"kind": "stage", "name": "x", "message": "y", "time": 1.0}])
    with bridge.client(bot="events") as client:
        with client.stream("GET", f"/jobs/{job.id}/events") as stream:
            lines = stream.iter_lines()
            assert next(lines) == "id: 1"
            launched.end(job.id)  # it was running until here
            assert sum(line.startswith("event: ") for line in lines) == 3
        told = parsed(client.get(f"/jobs/{job.id}/events"))
        assert [one["event"] for one in told] == ["run_started", "stage", "end"]
        assert json.loads(told[-1]["data"])["id"] == job.id
        again = parsed(client.get(f"/jobs/{job.id}/events", headers={"Last-Event-ID": "1"}))
        assert [one.get("id") for one in again] == ["2", None]
        assert client.get(f"/jobs/{job.id}/events", headers={"Last-Event-ID": "x"}).status_code == 400
    with bridge.client() as client:
        assert client.get(f"/jobs/{job.id}/events").status_code == 404  # another bot's


def test_streams_are_bounded(bridge: Running, launched: Launched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "MOST_STREAMS", 0)
    job = board.start(bridge.place, "bounded", "quick", {}, ["quick"])
    with bridge.client(bot="bounded") as client:
        reply = client.get(f"/jobs/{job.id}/events")
    assert (reply.status_code, reply.headers["retry-after"]) == (429, "10")


def test_streams_that_come_at_once_are_bounded_too(place: Place, launched: Launched) -> None:
    job = board.start(place, "default", "quick", {}, ["quick"])
    streams = Streams(place)
    caller = Caller(bot="default", has_key=False)
    request = Request({"type": "http", "headers": [], "path_params": {"id": job.id}, CALLER: caller})

    async def ask(receive: Receive, send: Send) -> int:
        try:
            response = await streams.answer(request)
        except Refused as refusal:
            return refusal.status
        await response({"type": "http"}, receive, send)
        return 200

    async def ask_all() -> list[int]:
        over = asyncio.Event()

        async def receive() -> Message:
            await over.wait()
            return {"type": "http.disconnect"}

        async def send(_: Message) -> None:
            await asyncio.sleep(0)

        asked = [asyncio.create_task(ask(receive, send)) for _ in range(2 * events.MOST_STREAMS)]
        async with asyncio.timeout(30):
            while sum(one.done() for one in asked) < events.MOST_STREAMS:  # those that are refused
                await asyncio.sleep(0.001)
        over.set()
        return await asyncio.gather(*asked)

    for _ in range(2):  # the second time after all have gone
        answered = asyncio.run(ask_all())
        assert answered.count(200) == answered.count(429) == events.MOST_STREAMS

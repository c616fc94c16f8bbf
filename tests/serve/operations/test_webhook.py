"""One address is told of alarms; nobody waits for it, and nobody learns it."""

from __future__ import annotations

import json
import logging
import queue
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from synthcity.errors import ConfigError
from synthcity.serve.operations.view import View
from synthcity.serve.operations.webhook import ATTEMPTS, Webhook
from synthcity.settings import Secret, Settings
from tests.serve.dialogue import NOW
from tests.serve.operations.look import around, well
from tests.waiting import until

WELL, ILL = well(), around(clock_offset=9.0)


class Receiver:
    """A server that answers with the statuses it is told, 200 afterwards."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.got: queue.Queue[dict] = queue.Queue()
        self.num_asked = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                outer.num_asked += 1
                message = json.loads(self.rfile.read(int(self.headers["content-length"])))
                status = outer.statuses.pop(0) if outer.statuses else 200
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()
                if status == 200:
                    outer.got.put(message)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook/s3cr3t"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_what_begins_and_what_ends_is_told_once(receiver: Receiver):
    with Webhook(Secret(receiver.url)) as hook:
        hook.show(View.of(WELL))
        hook.show(View.of(ILL))
        first = receiver.got.get(timeout=20)
        hook.show(View.of(around(clock_offset=10.0)))
        hook.show(View.of(well(now=NOW + 60)))
        second = receiver.got.get(timeout=20)
    assert (first["verdict"], first["miner"], first["alarms"][0]["name"]) == ("critical", "winner  abc", "clock")
    assert first["text"].startswith("winner  abc\ncritical: our clock is 9 s ahead")
    assert (second["verdict"], second["alarms"], receiver.got.qsize()) == ("fine", [], 0)


def test_what_flaps_is_told_as_it_stands_half_a_minute_later(receiver: Receiver):
    with Webhook(Secret(receiver.url)) as hook:
        for second in range(31):
            hook.show(View.of(around(clock_offset=9.0) if second % 2 == 0 else WELL))
        receiver.got.get(timeout=20)
        hook.show(View.of(well(now=NOW + 31)))
        assert receiver.got.get(timeout=20)["verdict"] == "fine"
    assert receiver.num_asked == 2


def test_it_is_tried_again_but_not_for_ever(receiver: Receiver, caplog: pytest.LogCaptureFixture):
    receiver.statuses = [500, 429]
    with Webhook(Secret(receiver.url), pause_seconds=0.01) as hook:
        hook.show(View.of(ILL))
        assert receiver.got.get(timeout=20)["verdict"] == "critical"
        receiver.statuses, receiver.num_asked = [500] * 50, 0
        with caplog.at_level(logging.WARNING):
            hook.show(View.of(well(now=NOW + 60)))
            until(lambda: hook.problem)
    assert receiver.num_asked == ATTEMPTS
    assert hook.problem == ("the webhook for alarms takes no message (status 500); see SYNTHCITY_ALARM_WEBHOOK")
    assert "s3cr3t" not in caplog.text


def test_neither_what_works_nor_what_fails_names_the_address(receiver: Receiver, caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.DEBUG), Webhook(Secret(receiver.url)) as hook:
        hook.show(View.of(ILL))
        receiver.got.get(timeout=20)
    with caplog.at_level(logging.DEBUG), Webhook(Secret("http://127.0.0.1:9/s3cr3t"), pause_seconds=0.0) as hook:
        hook.show(View.of(ILL))
        until(lambda: hook.problem)
    assert "the webhook for alarms takes no message (ConnectError)" in hook.problem
    assert "s3cr3t" not in caplog.text + hook.problem


@pytest.mark.parametrize("url", ["nonsense s3cr3t", "http://[s3cr3t", "ftp://host/s3cr3t", "https:///s3cr3t", "s3cr3t"])
def test_what_is_no_address_is_told_at_once_without_being_named(url: str):
    with pytest.raises(ConfigError, match="SYNTHCITY_ALARM_WEBHOOK is no address of HTTP") as caught:
        Webhook(Secret(url))
    assert "s3cr3t" not in str(caught.value)


def test_a_receiver_that_hangs_keeps_nobody_waiting():
    hook = Webhook(Secret("http://127.0.0.1:9"))
    for minute in range(100):  # its thread was not even started
        hook.show(View.of(around(clock_offset=9.0) if minute % 2 else well()) if minute else View.of(ILL))
    assert hook._waiting.qsize() <= 16


def test_the_address_is_a_secret_of_the_environment():
    settings = Settings.load({"SYNTHCITY_ALARM_WEBHOOK": "https://hooks.example/abc"})
    assert settings.alarm_webhook.reveal() == "https://hooks.example/abc"
    assert "abc" not in repr(settings)

"""One loop makes all retries: what is tried again, after how long, and when it ends."""

from __future__ import annotations

import datetime
import json
import threading
from pathlib import Path
from typing import Any

import pytest

from synthcity.agents.client import LLMClient
from synthcity.agents.config import PatienceConfig
from synthcity.agents.messages import Spend
from synthcity.agents.standin.process import RunningStandIn
from synthcity.errors import LLMRefused, LLMUnavailable
from synthcity.settings import Settings
from tests.agents.conftest import Clock
from tests.agents.test_client import SMALL, Make, ask, lines
from tests.waiting import until


@pytest.mark.parametrize(
    ("script", "waits", "models"),
    [
        (["cold"], [0.0], ["General-TEE", "Coder-TEE"]),
        (["overload"], [0.0], ["General-TEE", "Coder-TEE"]),
        (["maintenance"], [0.0], ["General-TEE", "Coder-TEE"]),
        (["not_found"], [0.0], ["General-TEE", "Coder-TEE"]),
        (["truncate"], [0.0], ["General-TEE", "Coder-TEE"]),
        (["not_json"], [0.0], ["General-TEE", "Coder-TEE"]),
        (["cold", "cold"], [0.0, 0.0], ["General-TEE", "Coder-TEE", "Small"]),
        (["error"], [2.0], ["General-TEE", "General-TEE"]),
        (["error", "error"], [2.0, 0.0], ["General-TEE", "General-TEE", "Coder-TEE"]),
        (["spam", "spam"], [2.0, 4.0], ["General-TEE"] * 3),
        ([{"do": "spam", "retry_after": 7}], [7.0], ["General-TEE"] * 2),
        (["disconnect"], [2.0], ["General-TEE"] * 2),
    ],
)
def test_what_helps_is_tried(
    server: RunningStandIn, make_client: Make, clock: Clock, script: list[Any], waits: list[float], models: list[str]
) -> None:
    server.script(script)
    assert ask(make_client()).text == "All right."
    assert clock.waits == waits
    assert [body["model"].removeprefix("standin/") for body in server.questions()] == models


def test_a_model_that_cannot_serve_is_passed_over_for_a_while(
    server: RunningStandIn, make_client: Make, clock: Clock
) -> None:
    server.script(["cold"])
    client = make_client()
    models = [ask(client).model, ask(client).model]
    clock.now += 601
    models.append(ask(client).model)
    assert models == ["standin/Coder-TEE", "standin/Coder-TEE", "standin/General-TEE"]


def test_the_only_model_is_waited_for(server: RunningStandIn, make_client: Make, clock: Clock) -> None:
    server.script(["cold", {"do": "cold", "retry_after": 11}])
    assert ask(make_client(models=(SMALL,))).model == SMALL
    assert clock.waits == [2.0, 11.0]


def test_after_the_last_attempt_the_reason_is_told(server: RunningStandIn, make_client: Make, tmp_path: Path) -> None:
    server.script(["cold", "error", "overload", "good"])
    client = make_client(tmp_path)
    with pytest.raises(LLMUnavailable, match=r"failed 3 times in a row, last 127\.0\.0\.1: HTTP 429: infra_overload"):
        ask(client)
    assert len(server.questions()) == 3  # and no retries of anybody else's
    assert client.ledger.run == Spend(calls=3)  # errors cost nothing
    assert [line["cure"] for line in lines(tmp_path, "failure")] == ["switch", "wait", "switch"]
    (gave_up,) = lines(tmp_path, "gave_up")
    assert (gave_up["error"], gave_up["account"]) == ("LLMUnavailable", "p1")
    assert client.availability.ready


@pytest.mark.parametrize(
    ("script", "text"),
    [
        (["unauthorized"], r"HTTP 401: Invalid token or user not found \(set SYNTHCITY_LLM_API_KEY"),
        (["broke"], "HTTP 402: Quota exceeded and account balance"),
        ([{"do": "quota", "reset": "some day"}], "HTTP 402"),
        ([{"do": "status", "status": 307, "headers": {"Location": "http://example.com"}}], "it redirects"),
    ],
)
def test_what_will_never_work_stops_for_good(
    server: RunningStandIn, make_client: Make, clock: Clock, script: list[Any], text: str
) -> None:
    server.script(script)
    client = make_client()
    for _ in range(2):
        with pytest.raises(LLMRefused, match=text):
            ask(client)
        clock.now += 1e6
    assert len(server.questions()) == 1
    assert str(client.availability).startswith("stopped: 127.0.0.1: HTTP")


def test_a_request_that_is_wrong_is_not_repeated(server: RunningStandIn, make_client: Make) -> None:
    client = make_client()
    server.script(["bad_request"])
    with pytest.raises(LLMRefused, match="refuses this request"):
        ask(client)
    assert len(server.questions()) == 1
    assert ask(client).text == "All right."


def test_a_quota_that_is_soon_reset_is_waited_for(server: RunningStandIn, make_client: Make, clock: Clock) -> None:
    reset = datetime.datetime.fromtimestamp(clock.now + 50, datetime.UTC).isoformat()
    server.script([{"do": "quota", "reset": reset}])
    assert ask(make_client()).text == "All right."
    assert clock.waits == [50.0]


@pytest.mark.parametrize(
    "behaviour", [{"do": "quota", "reset": "2027-01-16T00:00:00+00:00"}, {"do": "spam", "retry_after": 57_600}]
)
def test_a_long_pause_blocks_nobody_and_ends(
    server: RunningStandIn, make_client: Make, clock: Clock, behaviour: dict[str, Any]
) -> None:
    server.script([behaviour])
    client = make_client()
    for _ in range(2):
        with pytest.raises(LLMUnavailable, match="left alone until 2027-01-16 00:00:00 UTC"):
            ask(client)
    assert clock.waits == []
    assert len(server.questions()) == 1
    assert client.availability.until == 1_800_057_600.0
    clock.now = 1_800_057_600.0
    assert ask(client).text == "All right."


def test_failures_in_a_row_open_the_circuit(server: RunningStandIn, make_client: Make, clock: Clock) -> None:
    server.script({"mix": {"weights": {"spam": 1}}})
    client = make_client(patience=PatienceConfig(attempts=1))
    for _ in range(3):
        with pytest.raises(LLMUnavailable, match="failed 1 times"):
            ask(client)
    assert len(server.questions()) == 3
    with pytest.raises(LLMUnavailable, match="left alone until"):
        ask(client)
    assert server.questions() == []
    server.script()
    clock.now += 601
    assert ask(client).text == "All right."
    assert client.availability.ready


def test_closing_ends_pauses(server: RunningStandIn) -> None:
    server.script({"mix": {"weights": {"spam": 1}}})
    client = LLMClient(Settings(llm_base_url=server.url))
    server.script({"mix": {"weights": {"spam": 1}}, "auth": False})
    caught: list[Exception] = []

    def wait() -> None:
        try:
            ask(client)
        except LLMUnavailable as error:
            caught.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    until(server.questions)
    client.close()
    thread.join(1.5)  # the pause would last 2 s
    assert not thread.is_alive()
    assert "is closed" in str(caught[0])


def test_closing_ends_a_question_that_is_being_answered(server: RunningStandIn, tmp_path: Path) -> None:
    server.script({"replies": [{"do": "drip", "seconds": 30.0}], "auth": False})
    client = LLMClient(Settings(llm_base_url=server.url), folder=tmp_path)
    caught: list[Exception] = []

    def wait() -> None:
        try:
            ask(client)
        except LLMUnavailable as error:
            caught.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    until(server.questions)
    client.close()
    thread.join(10)
    assert not thread.is_alive()
    assert str(caught[0]) == "the client of the language model is closed"
    events = [json.loads(line) for line in (tmp_path / "llm.jsonl").read_text().splitlines()]
    failure = next(event for event in events if event["kind"] == "failure")
    assert failure["text"] == "the connection was closed on our side"
    assert client.ledger.run.calls == 1, "it may have to be paid"
    with pytest.raises(LLMUnavailable, match="is closed"):
        ask(client)

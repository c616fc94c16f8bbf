"""Every malformed field of a body is refused with 400, in words."""

from __future__ import annotations

import asyncio
import json

import pytest
from starlette.requests import Request
from starlette.testclient import TestClient

from synthcity.serve.admission.question import MAX_BYTES, QuestionConfig, read_body
from synthcity.serve.admission.refusal import Refusal
from synthcity.serve.answering.service import read_limited
from tests.serve.dialogue import NOW, body, headers, question

MALFORMED = {
    "no JSON": b"{",
    "nothing": b"",
    "a list": b"[]",
    "null": b"null",
    "NaN": b'{"simulation_input": NaN}',
    "no input": b"{}",
    "input null": json.dumps({"simulation_input": None}).encode(),
    "input a list": json.dumps({"simulation_input": [1]}).encode(),
    "deep": b"[" * 8000 + b"]" * 8000,
    "broken unicode": b'{"simulation_input": {"asset": "\xff"}}',
    **{
        f"{name} = {value!r}"[:60]: body(question(**{name: value}))
        for name, values in {
            "asset": [None, "", "btc", "BTC ", "DOGE", 1, ["BTC"], {"a": 1}, "B" * 5000],
            "time_length": [None, 0, -86400, 86401, 3600.0, "86400", True, 10**30, 604800],
            "time_increment": [None, 0, -300, 1, 60, 300.0, "300", False, 10**30],
            "num_simulations": [None, 0, -1, 1001, 10**12, 1e3, "1000", True],
            "start_time": [
                None,
                0,
                1_790_000_460,
                "",
                "now",
                "2026-09-21T12:41:00",
                "2026-09-21T14:16:00.5+00:00",
                "1970-01-01T00:00:00+00:00",
                "9999-12-31T23:59:59-23:59",
                "0001-01-01T00:00:00+23:59",
                "2" * 5000,
            ],
        }.items()
        for value in values
    },
    **{
        f"without {name}": body({key: value for key, value in question().items() if key != name}) for name in question()
    },
}


@pytest.mark.parametrize("sent", MALFORMED.values(), ids=MALFORMED)
def test_is_refused(client: TestClient, sent: bytes):
    answer = client.post("/Simulation", content=sent, headers=headers())
    assert answer.status_code == 400
    assert len(answer.json()["message"]) < 500


@pytest.mark.parametrize("size", [MAX_BYTES + 1, 5_000_000])
def test_a_long_body_is_refused(client: TestClient, size: int):
    padded = body()[:-1] + b" " * (size - len(body())) + b"}"
    assert client.post("/Simulation", content=padded, headers=headers()).status_code == 413
    assert client.post("/Simulation", content=iter([padded]), headers=headers(age=-1)).status_code == 413
    with pytest.raises(Refusal, match="bytes"):
        read_body(padded, NOW, QuestionConfig())


def test_no_more_is_read_than_may_be_sent():
    received = 0

    async def receive() -> dict:
        nonlocal received
        received += 1
        return {"type": "http.request", "body": b" " * 1024, "more_body": True}

    with pytest.raises(Refusal, match="at most 16384 bytes"):
        asyncio.run(read_limited(Request({"type": "http", "headers": []}, receive)))
    assert received == 17


def test_the_longest_body_is_read():
    padded = body()[:-1] + b" " * (MAX_BYTES - len(body())) + b"}"
    prompt = read_body(padded, NOW, QuestionConfig())
    assert (prompt.asset, prompt.start_time) == ("BTC", int(NOW) // 60 * 60 + 120)


@pytest.mark.parametrize("start", ["2026-09-21T14:22:00Z", "2026-09-21T16:22:00+02:00"])
def test_a_start_may_be_told_in_any_zone(start: str):
    now = 1_790_000_410.25
    assert now == NOW
    prompt = read_body(body(question(start_time=start)), now, QuestionConfig())
    assert prompt.start_time == 1_790_000_520

"""A planted key is looked for in everything that a client leaves behind."""

from __future__ import annotations

import logging
import pickle
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from synthcity.agents.client import LLMClient
from synthcity.agents.standin.process import RunningStandIn
from synthcity.errors import LLMError
from tests.agents.conftest import KEY

TOKEN = "planted-in-the-environment"
ECHO: list[Any] = [
    {"content": f"Your key is {KEY}, your token {TOKEN}.", "reasoning": KEY, "model": KEY},
    {"tool_calls": [{"name": "leak", "arguments": {"key": KEY, TOKEN: 1}}]},
    {"do": "status", "status": 400, "detail": f"bad key {KEY} {TOKEN}"},
    {"do": "status", "status": 500, "detail": {"message": KEY}},
    {"do": "status", "status": 503, "detail": {"seen": [KEY]}},
    {"do": "status", "status": 404, "detail": KEY},
    "disconnect",
    "not_json",
    "truncate",
    {"do": "status", "status": 401, "detail": f"Invalid token {KEY}"},
]


def test_no_secret_is_left_anywhere(
    server: RunningStandIn,
    make_client: Callable[..., LLMClient],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("BASILICA_API_TOKEN", TOKEN)
    server.script(ECHO)
    client = make_client(tmp_path / "run", mode="record", cassette=str(tmp_path / "tape.jsonl"))
    left: list[str] = []
    errors = []
    with caplog.at_level(logging.DEBUG):
        for _ in ECHO:
            messages = [{"role": "user", "content": f"I found {KEY} and {TOKEN} and \ud800"}]
            try:
                left.append(repr(client.complete(messages, account=f"a {KEY}", purpose=KEY, tools=[])))
            except LLMError as error:
                errors.append(error)
                left.append("".join(traceback.format_exception(error)))
                cause = error.__cause__ or error.__context__
                while cause is not None:
                    left += [repr(cause), repr(vars(cause))]
                    cause = cause.__cause__ or cause.__context__
    assert len(errors) >= 3
    asked = server.requests()
    assert len(asked) > len(ECHO)
    left += [repr(asked), caplog.text, repr(client.availability), repr(client.config), repr(vars(client))]
    left += [record.getMessage() + repr(record.args) for record in caplog.records]
    for thing in (client, client.ledger, client._settings, errors):
        left.append(pickle.dumps(thing).decode("latin-1"))
    left += [path.read_text(encoding="utf-8") for path in tmp_path.rglob("*") if path.is_file()]
    assert len(list(tmp_path.rglob("*.jsonl"))) == 2
    assert "[secret]" in "".join(left)
    for text in left:
        assert KEY not in text
        assert KEY[4:36] not in text
        assert TOKEN not in text

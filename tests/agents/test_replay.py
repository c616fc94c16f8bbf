from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from synthcity.agents.client import LLMClient
from synthcity.agents.config import PatienceConfig
from synthcity.agents.replay import Cassette
from synthcity.agents.standin.process import RunningStandIn
from synthcity.errors import ConfigError, LLMRefused, LLMUnavailable, RunError

Make = Callable[..., LLMClient]


def ask(client: LLMClient, text: str = "Hello?") -> Any:
    return client.complete([{"role": "user", "content": text}], account="p1")


def questions(server: RunningStandIn) -> int:
    return len(server.questions())


def test_what_was_recorded_is_said_again_without_a_server(
    server: RunningStandIn, make_client: Make, tmp_path: Path
) -> None:
    tape = str(tmp_path / "tape.jsonl")
    server.script([{"content": "one"}, {"content": "two"}, {"content": "other"}])
    recording = make_client(mode="record", cassette=tape)
    live = [ask(recording), ask(recording), ask(recording, "Other?")]
    assert [reply.text for reply in live] == ["one", "two", "other"]
    assert questions(server) == 3

    replaying = make_client(tmp_path, url="http://127.0.0.1:1/v1", key="", mode="replay-or-fail", cassette=tape)
    assert replaying.availability.ready
    replayed = [ask(replaying, "Other?"), ask(replaying), ask(replaying)]  # equal questions in their order
    assert [reply.text for reply in replayed] == ["other", "one", "two"]
    assert all(reply.replayed for reply in replayed)
    assert replaying.ledger.run.usd == recording.ledger.run.usd == replaying.ledger.run.replayed_usd
    with pytest.raises(LLMRefused, match="holds no answer to this request"):
        ask(replaying)
    with pytest.raises(LLMRefused, match=r"record it with llm\.mode: record"):
        ask(replaying, "New?")
    # the transcript of a replay charges a resumed run, and is a cassette itself
    assert make_client(tmp_path).ledger.run == replaying.ledger.run
    again = make_client(mode="replay-or-fail", cassette=str(tmp_path / "llm.jsonl"))
    assert ask(again).text == "one"


def test_replay_asks_only_what_is_new_and_records_it(server: RunningStandIn, make_client: Make, tmp_path: Path) -> None:
    tape = str(tmp_path / "tape.jsonl")
    server.script([{"content": "one"}, {"content": "new"}])
    ask(make_client(mode="record", cassette=tape))
    replaying = make_client(mode="replay", cassette=tape)
    assert (ask(replaying).text, ask(replaying, "New?").text) == ("one", "new")
    assert questions(server) == 2
    again = make_client(mode="replay-or-fail", cassette=tape)
    assert (ask(again, "New?").text, ask(again).text) == ("new", "one")


def test_an_outage_is_part_of_a_recording(server: RunningStandIn, make_client: Make, tmp_path: Path) -> None:
    tape = str(tmp_path / "tape.jsonl")
    server.script([{"do": "spam", "retry_after": 10_000}])
    with pytest.raises(LLMUnavailable) as first:
        ask(make_client(mode="record", cassette=tape))
    with pytest.raises(LLMUnavailable) as second:
        ask(make_client(mode="replay-or-fail", cassette=tape))
    assert str(second.value) == str(first.value)
    assert ask(make_client(mode="replay", cassette=tape)).text == "All right."  # need not repeat itself


def test_live_writes_no_cassette(make_client: Make, tmp_path: Path) -> None:
    tape = tmp_path / "tape.jsonl"
    ask(make_client(cassette=str(tape), patience=PatienceConfig(attempts=1)))
    assert not tape.exists()


@pytest.mark.parametrize(
    "event",
    [
        {"kind": "reply", "key": "k", "reply": {}},
        {"kind": "reply", "key": "k"},
        {"kind": "gave_up", "key": "k"},
        {"kind": "gave_up", "error": "LLMError", "text": "no"},
        {"kind": "gave_up", "key": ["k"], "error": "LLMError", "text": "no"},
    ],
)
def test_a_foreign_cassette_is_refused(tmp_path: Path, event: dict[str, Any]) -> None:
    tape = tmp_path / "tape.jsonl"
    tape.write_text('{"kind": "models"}\n' + json.dumps(event) + "\n", encoding="utf-8")
    with pytest.raises(RunError, match="holds no recorded answer at line 2"):
        Cassette(tape)


def test_answers_from_a_file_that_is_not_there_are_refused(make_client: Make, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone\.jsonl' does not exist; record it with llm\.mode: record"):
        make_client(mode="replay-or-fail", cassette=str(tmp_path / "gone.jsonl"))

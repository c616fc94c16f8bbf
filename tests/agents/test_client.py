"""The client against the stand-in: every row of Chutes' table of errors, and every way to give no answer."""

from __future__ import annotations

import importlib.util
import json
import pickle
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from synthcity.agents.client import LLMClient
from synthcity.agents.config import PatienceConfig
from synthcity.agents.messages import Spend, ToolCall
from synthcity.agents.standin.process import RunningStandIn
from synthcity.errors import ConfigError, LLMRefused, LLMUnavailable
from synthcity.settings import Secret, Settings
from tests.agents.conftest import KEY, Clock

Make = Callable[..., LLMClient]
HI = [{"role": "user", "content": "Hello?"}]
SCHEMA = {"type": "object", "properties": {"layers": {"type": "integer", "minimum": 1, "maximum": 4}}}
SMALL = "standin/Small"


def ask(client: LLMClient, **changes: Any) -> Any:
    return client.complete(**{"messages": HI, "account": "p1", "max_tokens": 500} | changes)


def lines(folder: Path, kind: str = "") -> list[dict[str, Any]]:
    found = [json.loads(line) for line in (folder / "llm.jsonl").read_text(encoding="utf-8").splitlines()]
    return [line for line in found if kind in ("", line["kind"])]


def test_an_answer_is_charged_and_written_down(server: RunningStandIn, make_client: Make, tmp_path: Path) -> None:
    server.script([{"content": "<think>hm</think>Hello!", "reasoning": "first"}])
    client = make_client(tmp_path)
    reply = ask(client, purpose="greet", prompt_version="planner@1")
    assert (reply.text, reply.thinking, reply.finish_reason) == ("Hello!", "first\nhm", "stop")
    assert reply.model == reply.served_model == "standin/General-TEE"
    assert reply.invocation.startswith("00000000-")
    spend = client.ledger.run
    assert spend == client.ledger.accounts["p1"] == reply.spend
    assert spend.usd == pytest.approx((0.3 * spend.prompt_tokens + 1.2 * spend.completion_tokens) / 1e6)
    assert spend.reasoning_tokens == 1
    models, request, done = lines(tmp_path)
    assert models["models"][0]["price"] == {"prompt": 0.3, "completion": 1.2}
    assert request["request"]["messages"] == HI
    assert (request["purpose"], request["request"]["prompt_version"]) == ("greet", "planner@1")
    assert request["worst"]["usd"] > spend.usd
    assert done["reply"]["text"] == "Hello!"
    assert done["key"] == request["key"]
    (body,) = server.questions()
    assert body == {"model": reply.model, "messages": HI, "max_tokens": 500, "temperature": 0.7}


def test_tools_are_offered_and_called(server: RunningStandIn, make_client: Make) -> None:
    server.script([{"tool_calls": [{"name": "look", "arguments": {"top": 3}}]}])
    tools = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}]
    reply = ask(make_client(models=("*Small", "*Coder*")), tools=tools)
    assert reply.model == "standin/Coder-TEE"  # the first that can call tools
    assert reply.tool_calls == (ToolCall(id="call_0", name="look", arguments='{"top": 3}'),)
    assert server.questions()[0]["tools"] == tools


@pytest.mark.parametrize(
    ("model", "output", "form"),
    [
        ("standin/General-TEE", "json_schema", {"type": "json_schema"}),
        ("standin/Coder-TEE", "json_object", {"type": "json_object"}),
        (SMALL, "text", {}),
    ],
)
def test_a_schema_is_asked_for_by_the_best_means(
    server: RunningStandIn, make_client: Make, model: str, output: str, form: dict[str, Any]
) -> None:
    reply = ask(make_client(models=(model,)), schema=SCHEMA)
    assert reply.output == output
    assert 1 <= json.loads(reply.text)["layers"] <= 4
    (body,) = server.questions()
    assert body.get("response_format", {}).get("type") == form.get("type")


def test_refused_forms_are_learnt_and_cost_nothing(server: RunningStandIn, make_client: Make, clock: Clock) -> None:
    # the last refusal is llama-cpp-python's way: 500 for a form that it does not know
    literal = {"do": "error", "detail": "literal_error: response_format.type should be 'text' or 'json_object'"}
    server.script(["no_format", "no_temperature", literal])
    client = make_client()
    assert ask(client, schema=SCHEMA).output == "text"
    assert clock.waits == []
    assert client.ledger.run.calls == 4
    assert [body.get("response_format", {}).get("type") for body in server.questions()] == [
        "json_schema",
        "json_object",
        "json_object",
        None,
    ]
    ask(client, schema=SCHEMA)
    (body,) = server.questions()  # and kept
    assert not {"response_format", "temperature"} & body.keys()


# --- the table of errors


# --- silence


@pytest.mark.parametrize(
    ("behaviour", "patience"),
    [
        ({"do": "hang", "seconds": 2}, PatienceConfig(read_seconds=0.2, attempts=1)),
        ({"do": "hang", "seconds": 2}, PatienceConfig(deadline_seconds=0.2)),
        ({"do": "drip", "seconds": 2}, PatienceConfig(deadline_seconds=0.2)),  # each byte in time, the whole too late
    ],
)
def test_silence_ends_and_is_charged_at_its_worst(
    server: RunningStandIn, make_client: Make, behaviour: dict[str, Any], patience: PatienceConfig
) -> None:
    server.script([behaviour])
    client = make_client(patience=patience)
    start = time.monotonic()
    with pytest.raises(LLMUnavailable, match=r"silent|did not end"):
        ask(client)
    assert time.monotonic() - start < 1.5
    assert client.ledger.run.completion_tokens == 500


def test_an_answer_that_is_longer_than_was_asked_for_is_not_read_on(
    server: RunningStandIn, make_client: Make, tmp_path: Path
) -> None:
    client = make_client(tmp_path, patience=PatienceConfig(attempts=1))
    server.script([{"do": "raw", "body": {"choices": [{"message": {"content": "x" * 7_000_000}}]}}])
    with pytest.raises(LLMUnavailable, match=r"the answer is longer than 80,000 bytes"):
        ask(client)
    assert client.ledger.run.completion_tokens == 500  # paid all the same
    assert (tmp_path / "llm.jsonl").stat().st_size < 20_000


@pytest.mark.parametrize(
    ("body", "waits"),
    [
        ({"error": {"message": "upstream went away", "code": 502}}, [0.0]),
        ({"error": {"message": "rate limited", "code": 429}}, [2.0]),
        ({"error": "went away"}, [2.0]),
        ({"object": "error", "message": "went away", "code": 500}, [2.0]),
        ({"detail": "went away"}, [2.0]),
        ({"choices": [{"error": {"code": 503, "message": "went away"}, "message": {"content": ""}}]}, [0.0]),
        ({"choices": [], "error": {"message": "went away"}}, [2.0]),
    ],
)
def test_an_error_with_status_200_costs_nothing_and_is_asked_again(
    server: RunningStandIn, make_client: Make, clock: Clock, body: dict[str, Any], waits: list[float]
) -> None:
    server.script([{"do": "raw", "body": body}, "good"])
    client = make_client()
    reply = ask(client)
    assert clock.waits == waits
    assert client.ledger.run.usd == pytest.approx(reply.spend.usd)
    assert client.ledger.run.calls == 2


def test_an_error_with_status_200_is_refused_where_asking_again_is_no_use(
    server: RunningStandIn, make_client: Make
) -> None:
    server.script([{"do": "raw", "body": {"error": {"message": "no such key", "code": 401}}}])
    with pytest.raises(LLMRefused, match="no such key"):
        ask(make_client())
    assert len(server.questions()) == 1


def test_an_error_with_status_200_that_counts_tokens_is_paid(server: RunningStandIn, make_client: Make) -> None:
    usage = {"prompt_tokens": 40, "completion_tokens": 7}
    server.script([{"do": "raw", "body": {"error": {"message": "cut off"}, "usage": usage}}])
    client = make_client(patience=PatienceConfig(attempts=1))
    with pytest.raises(LLMUnavailable, match="cut off"):
        ask(client)
    assert (client.ledger.run.prompt_tokens, client.ledger.run.completion_tokens) == (40, 7)


@pytest.mark.parametrize(
    "refusal",
    [
        "This model's maximum context length is 4096 tokens. However, you requested 8220 tokens (28 in the messages, "
        "8192 in the completion). Please reduce the length of the messages or completion.",
        "'max_tokens' or 'max_completion_tokens' is too large: 8192. This model's maximum context length is 4096 "
        "tokens and your request has 28 input tokens (8192 > 4096 - 28).",
        "Requested token count exceeds the model's maximum context length of 4096 tokens. You requested a total of "
        "8220 tokens: 28 tokens from the input messages and 8192 tokens for the completion.",
        "`inputs` tokens + `max_new_tokens` must be <= 4096. Given: 28 `inputs` tokens and 8192 `max_new_tokens`",
        "max_tokens is too large: 8192. This model supports at most 4096 completion tokens, whereas you provided 8192.",
        "max_tokens: 8192 > 4096, which is the maximum allowed number of output tokens for this model",
        "Invalid max_tokens value, the valid range of max_tokens is [1, 4096]",
        "max_tokens must be less than or equal to 4096 tokens, got 8192",
        "the request exceeds the available context size (n_ctx 4096 tokens), try increasing it",
    ],
)
def test_a_limit_that_a_refusal_names_is_kept_from_then_on(
    server: RunningStandIn, make_client: Make, refusal: str
) -> None:
    server.script([{"do": "status", "status": 400, "detail": refusal}])
    client = make_client()
    ask(client, max_tokens=8192)
    ask(client, max_tokens=8192)
    first, *later = (body["max_tokens"] for body in server.questions())
    assert first == 8192
    assert len(later) == 2
    assert all(3900 < longest <= 4096 for longest in later)
    assert client.ledger.run.calls == 3


def test_a_prompt_that_leaves_no_room_for_an_answer_is_refused_once(server: RunningStandIn, make_client: Make) -> None:
    text = "This model's maximum context length is 4096 tokens, your request has 5000 input tokens"
    server.script([{"do": "status", "status": 400, "detail": text}])
    with pytest.raises(LLMRefused, match="maximum context length is 4096"):
        ask(make_client(), messages=[{"role": "user", "content": "word " * 4000}])
    assert len(server.questions()) == 1


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        ({"prompt_tokens": 10**400, "completion_tokens": 10**400}, 500),
        ({"prompt_tokens": 1e15, "completion_tokens": 1e15}, 500),
        ({"prompt_tokens": 0, "completion_tokens": 0}, 300),
        ({"prompt_tokens": 1, "completion_tokens": 1}, 300),
    ],
)
def test_a_count_of_tokens_that_cannot_be_is_not_believed(
    server: RunningStandIn, make_client: Make, usage: dict[str, Any], tokens: int
) -> None:
    server.script([{"content": "word " * 240, "usage": usage}])
    client = make_client()
    spend = ask(client).spend
    assert spend.completion_tokens == pytest.approx(tokens, abs=3)
    assert 0 < spend.prompt_tokens < 200
    assert 0 < client.ledger.run.usd < 0.01


def test_a_server_that_is_gone_costs_nothing(make_client: Make, clock: Clock) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/v1"
    client = make_client(url=url)
    with pytest.raises(LLMUnavailable, match=r"127\.0\.0\.1 cannot be reached \(ConnectError"):
        ask(client)
    assert clock.waits == [2.0, 4.0]
    assert client.ledger.run == Spend()


# --- settings


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("llm.chutes.ai/v1", "SYNTHCITY_LLM_BASE_URL is no http or https URL: 'llm.chutes.ai/v1'"),
        ("", "is no http or https URL"),
        ("http://[::1/v1", "is no http or https URL"),
        ("https://me:planted@example.com/v1", "holds a user or password; set SYNTHCITY_LLM_API_KEY instead"),
    ],
)
def test_an_address_that_is_none(make_client: Make, url: str, text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        make_client(url=url)
    assert text in str(caught.value)
    assert "planted" not in str(caught.value)


@pytest.mark.parametrize("key", ["cpk_planted\nHost: x", "cpk_plänted", "cpk planted"])
def test_a_key_that_is_none(make_client: Make, key: str) -> None:
    with pytest.raises(ConfigError, match="holds a character that no key has") as caught:
        make_client(key=key)
    assert "cpk" not in str(caught.value)


def test_without_a_key_chutes_is_not_asked() -> None:
    with LLMClient(Settings()) as client:
        assert "set CHUTES_API_KEY" in str(client.availability)
        with pytest.raises(LLMRefused, match=r"llm\.chutes\.ai needs a key; set CHUTES_API_KEY, or SYNTHCITY_LLM"):
            ask(client)


def test_without_the_package_the_remedy_is_named(make_client: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    client = make_client()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(LLMRefused, match=r"openai is missing; pip install 'synth-city\[llm\]'"):
        ask(client)
    assert not client.availability.ready


def test_no_variable_of_the_package_changes_anything(
    server: RunningStandIn, make_client: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-other")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
    monkeypatch.setenv("OPENAI_ORG_ID", "org")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "Authorization: Bearer sk-other\nX-Planted: yes")
    assert ask(make_client()).text == "All right."
    sent = {name for asked in server.requests() for name in asked["headers"]}
    assert not {"x-planted", "openai-organization", "x-stainless-os"} & sent


def test_a_pickled_client_goes_on_where_the_key_is(
    make_client: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SYNTHCITY_LLM_API_KEY", KEY)
    with make_client(tmp_path) as client:
        monkeypatch.setenv("SYNTHCITY_LLM_BASE_URL", client._settings.llm_base_url)
        client = LLMClient(Settings.load(), client.config, folder=tmp_path)
        ask(client)
        client.close()
    with pickle.loads(pickle.dumps(client)) as copy:
        assert copy.ledger.run == client.ledger.run
        assert ask(copy).text == "All right."


def test_what_an_earlier_session_was_answered_is_not_asked_again(
    server: RunningStandIn, make_client: Make, tmp_path: Path
) -> None:
    first = ask(make_client(tmp_path))
    before = lines(tmp_path)
    client = LLMClient(Settings(llm_base_url=server.url, llm_api_key=Secret(KEY)), folder=tmp_path, again=True)
    with client:
        again = ask(client, account="p2")
        assert (again.text, again.spend) == (first.text, first.spend)
        assert lines(tmp_path) == before
        assert client.ledger.run == first.spend
        assert len(server.questions()) == 1
        ask(client)  # the same once more was never answered
        assert len(server.questions()) == 1


def test_answers_of_earlier_sessions_may_be_for_one_purpose_alone(
    server: RunningStandIn, make_client: Make, tmp_path: Path
) -> None:
    ask(make_client(tmp_path), purpose="research")
    with LLMClient(
        Settings(llm_base_url=server.url, llm_api_key=Secret(KEY)), folder=tmp_path, again="research"
    ) as client:
        ask(client, purpose="propose")  # another arm's, who wants an answer of its own
        assert len(server.questions()) == 2
        ask(client, purpose="research")
        assert server.questions() == []

"""The stand-in keeps to Chutes' contract, faults included, as the openai package sees it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest

from synthcity.agents.standin.process import RunningStandIn
from tests.agents.conftest import KEY

OPEN = {"Authorization": f"Bearer {KEY}"}
ASK: dict[str, Any] = {"model": "standin/General-TEE", "messages": [{"role": "user", "content": "Hello?"}]}
SCHEMA = {
    "type": "object",
    "properties": {"layers": {"type": "integer", "minimum": 1, "maximum": 4}},
    "required": ["layers"],
    "additionalProperties": False,
}
FORM = {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": SCHEMA}}


@pytest.fixture(scope="module")
def web() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False) as client:
        yield client


@pytest.fixture
def sdk(server: RunningStandIn) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(api_key=KEY, base_url=server.url, max_retries=0) as client:
        yield client


def test_the_list_of_models_has_every_documented_field(sdk: openai.OpenAI) -> None:
    first = sdk.models.list().data[0].to_dict()
    assert first["id"] == "standin/General-TEE"
    assert first["pricing"] == {"prompt": 0.3, "completion": 1.2}
    assert first["price"]["input"]["usd"] == 0.3  # type: ignore[index]
    assert {"max_model_len", "context_length", "max_output_length", "supported_features"} <= first.keys()


def test_a_good_answer_fits_the_schema_and_counts_tokens(sdk: openai.OpenAI) -> None:
    done = sdk.chat.completions.with_raw_response.create(**ASK, response_format=FORM)
    assert "X-Chutes-InvocationID" in done.headers
    reply = done.parse()
    assert 1 <= json.loads(reply.choices[0].message.content)["layers"] <= 4
    assert reply.usage.total_tokens == reply.usage.prompt_tokens + reply.usage.completion_tokens


def test_a_stream_gives_the_same_and_a_truncated_one_only_a_line_that_the_package_drops(
    web: httpx.Client, server: RunningStandIn, sdk: openai.OpenAI
) -> None:
    server.script([{"content": "x" * 40}, {"do": "truncate", "content": "x" * 40}, {"tool_calls": [{"name": "f"}]}])
    whole = list(sdk.chat.completions.create(**ASK, stream=True))
    assert "".join(c.choices[0].delta.content or "" for c in whole if c.choices) == "x" * 40
    assert whole[-1].usage.completion_tokens > 0
    broken = list(sdk.chat.completions.create(**ASK, stream=True))
    assert "".join(c.choices[0].delta.content or "" for c in broken if c.choices) == "x" * 20
    assert not any(choice.finish_reason for c in broken for choice in c.choices)
    calls = list(sdk.chat.completions.create(**ASK, stream=True))
    assert any(choice.finish_reason == "tool_calls" for c in calls for choice in c.choices)
    server.script(["truncate"])
    text = web.post(f"{server.url}/chat/completions", json=ASK | {"stream": True}, headers=OPEN).text
    assert text.rstrip().splitlines()[-1].startswith('{"error": ')  # bare, without "data: "


@pytest.mark.parametrize(
    ("name", "status", "detail"),
    [
        ("overload", 429, "infra_overload"),
        ("cold", 503, "No instances available"),
        ("error", 500, "No result returned"),
        ("unauthorized", 401, "Invalid token"),
        ("not_found", 404, "No matching chute"),
        ("bad_request", 400, "bad_request"),
        ({"do": "status", "status": 418, "detail": {"a": 1}}, 418, {"a": 1}),
    ],
)
def test_errors_are_shaped_like_chutes(
    server: RunningStandIn, sdk: openai.OpenAI, name: Any, status: int, detail: Any
) -> None:
    server.script([name])
    with pytest.raises(openai.APIStatusError) as caught:
        sdk.chat.completions.create(**ASK)
    assert caught.value.status_code == status
    told = caught.value.body["detail"]  # type: ignore[index]
    assert told == detail or detail in told


def test_quota_and_retry_after(server: RunningStandIn, sdk: openai.OpenAI) -> None:
    server.script(["quota", "broke", {"do": "spam", "retry_after": 7}])
    caught = []
    for _ in range(3):
        with pytest.raises(openai.APIStatusError) as error:
            sdk.chat.completions.create(**ASK)
        caught.append(error.value)
    assert "quota_reset_timestamp" in caught[0].body["detail"]
    assert "quota_reset_timestamp" not in caught[1].body["detail"]
    assert caught[2].response.headers["retry-after"] == "7"


@pytest.mark.parametrize(
    ("change", "status", "detail"),
    [
        ({"model": "gpt-4"}, 404, "model not found: gpt-4"),
        ({"messages": []}, 400, "bad_request"),
        ({"messages": [{"role": "user", "content": "x" * 900_000}]}, 400, "context length"),
        (
            {
                "messages": [
                    {"role": "assistant", "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": "{"}}]}
                ]
            },
            400,
            "expected JSON",
        ),
    ],
)
def test_requests_are_checked(
    web: httpx.Client, server: RunningStandIn, change: dict[str, Any], status: int, detail: str
) -> None:
    answer = web.post(f"{server.url}/chat/completions", json=ASK | change, headers=OPEN)
    assert answer.status_code == status
    assert detail in answer.text


@pytest.mark.parametrize(
    ("header", "detail"), [({}, "Authentication required."), ({"Authorization": "Bearer sk-1"}, "Invalid token")]
)
def test_keys_are_checked_and_not_kept(
    web: httpx.Client, server: RunningStandIn, header: dict[str, str], detail: str
) -> None:
    answer = web.post(f"{server.url}/chat/completions", json=ASK, headers=header)
    assert (answer.status_code, answer.json()["detail"][: len(detail)]) == (401, detail)
    assert web.post(f"{server.url}/chat/completions", content=b"{").status_code == 400
    assert "authorization" not in server.requests()[0]["headers"]


def test_a_random_mix_repeats_itself(web: httpx.Client, server: RunningStandIn) -> None:
    script = {"mix": {"seed": 3, "weights": {"good": 1, "cold": 1, "overload": 1}}, "auth": False}

    def statuses() -> list[int]:
        server.script(script)
        return [web.post(f"{server.url}/chat/completions", json=ASK).status_code for _ in range(12)]

    first = statuses()
    assert set(first) == {200, 503, 429}
    assert statuses() == first


@pytest.mark.parametrize("script", [["godo"], {"reply": []}, {"listing": "some"}, {"mix": {"weights": {"bad": 1}}}])
def test_a_wrong_script_is_refused(web: httpx.Client, server: RunningStandIn, script: Any) -> None:
    answer = web.post(server.url.removesuffix("v1") + "script", json=script)
    assert answer.status_code == 400
    assert "stand-in script: unknown" in answer.json()["detail"]


def test_silence_lasts_as_long_as_it_should(web: httpx.Client, server: RunningStandIn) -> None:
    server.script({"replies": [{"do": "hang", "seconds": 0.05}, {"content": "late", "delay": 0.05}], "auth": False})
    for status in (500, 200):
        start = time.monotonic()
        assert web.post(f"{server.url}/chat/completions", json=ASK).status_code == status
        assert time.monotonic() - start > 0.04

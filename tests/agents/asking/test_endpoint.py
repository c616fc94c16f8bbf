"""One request: what goes out, what comes back, and which errors are told, without a loop around it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from synthcity.agents.asking.endpoint import Endpoint
from synthcity.agents.asking.redact import Redactor
from synthcity.agents.asking.trouble import Trouble
from synthcity.agents.config import PatienceConfig
from synthcity.agents.standin.process import RunningStandIn
from synthcity.errors import ConfigError, LLMRefused
from synthcity.settings import Secret
from tests.agents.conftest import KEY
from tests.ports import free_ports

BODY: dict[str, Any] = {"model": "standin/General-TEE", "messages": [{"role": "user", "content": "Hello?"}]}
PATIENCE = PatienceConfig(connect_seconds=5, read_seconds=5)


def make(url: str, key: str = KEY) -> Endpoint:
    return Endpoint(url, Secret(key), PATIENCE, Redactor([KEY]))


@pytest.fixture
def endpoint(server: RunningStandIn) -> Iterator[Endpoint]:
    found = make(server.url)
    yield found
    found.close()


def trouble(endpoint: Endpoint, seconds: float = 5.0) -> Trouble:
    with pytest.raises(Trouble) as caught:
        endpoint.complete(BODY, seconds, 100)
    return caught.value


@pytest.mark.parametrize(
    ("url", "local"),
    [("http://localhost:1/v1", True), ("http://127.9.0.1/v1", True), ("http://[::1]:1/v1", True),
     ("https://llm.chutes.ai/v1", False), ("http://10.0.0.1/v1", False)],
)  # fmt: skip
def test_this_machine_is_known_by_its_addresses(url: str, local: bool) -> None:
    assert make(url).is_local is local


@pytest.mark.parametrize("url", ["", "ftp://x/v1", "llm.chutes.ai", "http://", "http://[::1"])
def test_what_is_no_address_is_refused_before_anything_is_opened(url: str) -> None:
    with pytest.raises(ConfigError, match="SYNTHCITY_LLM_BASE_URL is no http or https URL"):
        make(url)


@pytest.mark.parametrize("key", ["a b", "a\n", "k\u00e4y", "a\x00"])
def test_a_key_that_cannot_be_one_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(ConfigError, match="holds a character that no key has") as caught:
        make("http://localhost/v1", key)
    assert key not in str(caught.value)


def test_only_chutes_needs_a_key() -> None:
    assert "needs a key; set CHUTES_API_KEY" in make("https://llm.chutes.ai/v1", "").problem
    assert make("http://localhost/v1", "").problem == ""
    with pytest.raises(LLMRefused, match="needs a key"):
        make("https://llm.chutes.ai/v1", "").models(1.0)


def test_models_and_answers_come_decoded_with_the_providers_name_for_the_call(endpoint: Endpoint) -> None:
    listed: Any = endpoint.models(5.0)
    assert listed["data"][0]["id"] == "standin/General-TEE"
    data, invocation = endpoint.complete(BODY, 5.0, 100)
    assert data["choices"][0]["message"]["content"] == "All right."
    assert invocation


def test_only_the_headers_that_are_needed_go_out(endpoint: Endpoint, server: RunningStandIn) -> None:
    endpoint.complete(BODY, 5.0, 100)
    (asked,) = server.requests()
    assert not [name for name in asked["headers"] if name.startswith(("x-stainless-os", "openai"))]


@pytest.mark.parametrize(
    ("reply", "text", "cure", "billed"),
    [
        ("not_json", "something else than JSON", "switch", True),
        ("truncate", "something else than JSON", "switch", True),
        ("disconnect", "cannot be reached", "wait", True),
        ({"do": "raw", "body": {"x": "x" * 100_000}}, "the answer is longer than 67,200 bytes", "switch", True),
    ],
)
def test_what_is_no_answer_may_have_to_be_paid(
    endpoint: Endpoint, server: RunningStandIn, reply: Any, text: str, cure: str, billed: bool
) -> None:
    server.script([reply])
    found = trouble(endpoint)
    assert text in found.text
    assert (found.cure, found.maybe_billed) == (cure, billed)
    assert found.__context__ is None, "it would hold the request, and with it the key"


def test_drips_end_at_the_deadline(endpoint: Endpoint, server: RunningStandIn) -> None:
    server.script([{"do": "drip", "seconds": 5.0}])
    assert trouble(endpoint, 0.1).text == "the answer did not end before the deadline"


def test_silence_is_told_with_its_length(endpoint: Endpoint, server: RunningStandIn) -> None:
    server.script([{"do": "hang", "seconds": 1.0}])
    found = trouble(endpoint, 0.2)
    assert found.text.startswith("127.0.0.1 is silent for 0.2 s")
    assert found.maybe_billed


def test_what_was_never_sent_costs_nothing() -> None:
    found = trouble(make(f"http://127.0.0.1:{free_ports(1)[0]}/v1"))
    assert "cannot be reached (ConnectError" in found.text
    assert not found.maybe_billed


def test_what_was_planted_in_an_answer_comes_back_cleaned(endpoint: Endpoint, server: RunningStandIn) -> None:
    server.script([{"content": f"your key is {KEY}"}])
    data, _ = endpoint.complete(BODY, 5.0, 1000)
    assert KEY not in str(data)


def test_a_closed_one_is_not_opened_again(endpoint: Endpoint) -> None:
    endpoint.close()
    found = trouble(endpoint)
    assert (found.text, found.cure) == ("the connection was closed on our side", "wait")

"""Operations over HTTP."""

from __future__ import annotations

import httpx
import pytest
from jsonschema import validate

from synthcity.bridge.app import reading_posts, status_of
from synthcity.bridge.operation import Operation, Refused
from synthcity.bridge.registry import operations
from synthcity.errors import ConfigError, Fatal, SourceError
from tests.bridge.conftest import Running


def test_an_answer_is_what_its_schema_says(bridge: Running) -> None:
    with bridge.client(key=False) as client:
        reply = client.get("/history/runs", params={"order": "recent", "limit": "5"})
    assert reply.status_code == 200
    assert [run["id"] for run in reply.json()["runs"]] == ["live", "sweep"]
    validate(reply.json(), operations()["history"].output_schema)


@pytest.mark.parametrize(
    ("path", "status", "sentence"),
    [
        ("/history/runs?limit=0", 400, "limit must be greater than or equal to 1, got '0'"),
        ("/history/runs?limt=1", 400, "unknown input of history 'limt'; did you mean 'limit'?"),
        ("/history/runs?limit=1&limit=2", 400, "history was given 'limit' twice"),
        ("/history/run/none", 404, "there is no run 'none' among the 2 of local"),
        ("/jobs/000000000000", 404, "there is no job '000000000000' of the bot 'default'"),
        ("/jobs/zz", 400, "id must match pattern"),
        ("/jobs/a%2Fb", 404, "Not Found"),
        ("/none", 404, "Not Found"),
    ],
)
def test_what_is_wrong_is_told_as_json(bridge: Running, path: str, status: int, sentence: str) -> None:
    with bridge.client() as client:
        reply = client.get(path)
    assert reply.status_code == status
    assert sentence in reply.json()["error"]


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"{", "the body is no JSON"),
        (b"[]", "takes a JSON object"),
        (b'{"seed": NaN}', "NaN is no JSON number"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"head": "my_module:Head"}', "head must match pattern"),
        (b'{"blocks": ["os:system"]}', "blocks.0 must match pattern"),
        (b'{"seed": -1}', "seed must be greater than or equal to 0, got -1"),
        (b'{"head": "\\ud800"}', "head must be a valid string"),
    ],
)
def test_a_body_that_is_wrong_starts_nothing(bridge: Running, body: bytes, sentence: str) -> None:
    with bridge.client() as client:
        reply = client.post("/quick/run", content=body, headers={"content-type": "application/json"})
        assert reply.status_code == 400
        assert sentence in reply.json()["error"]
        assert client.get("/jobs").json()["total"] == 0


def test_each_bot_sees_its_own_runs_alone(bridge: Running) -> None:
    with bridge.client(bot="alpha") as client:
        assert client.get("/history/runs").json()["total"] == 0
        assert client.get("/history/run/sweep").status_code == 404


def test_every_writing_route_wants_the_key(bridge: Running) -> None:
    def path(operation: Operation) -> str:
        return operation.address(id="0" * 12)

    writing = [one for one in operations().values() if one.writes]
    assert writing
    with bridge.client(key=False) as client:
        assert {client.post(path(one), json={}).status_code for one in writing} == {401}
        assert not {path(one) for one in writing} & set(reading_posts())


def test_errors_have_their_status() -> None:
    errors = [ConfigError("a"), SourceError("b"), Fatal("c"), Refused("d", 429)]
    assert [status_of(error) for error in errors] == [400, 503, 500, 429]


def test_the_wrong_method_is_told(bridge: Running) -> None:
    with bridge.client() as client:
        reply: httpx.Response = client.post("/jobs", json={})
    assert (reply.status_code, reply.json()) == (405, {"error": "Method Not Allowed"})

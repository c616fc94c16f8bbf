"""``POST /simulate``: what is malformed is refused in words, whatever it holds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from synthcity.serve.answering.metrics import REFUSALS
from synthcity.serve.answering.service import Service


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("{nope", "body.1: JSON decode error"),
        ("[]", "body: "),
        ("{}", "body.asset: Field required"),
        ('{"asset":7}', "body.asset: Input should be a valid string"),
        ('{"asset":"BTC","num_simulations":NaN}', "body.num_simulations: "),
        ('{"asset":"BTC","num_simulations":1e999}', "body.num_simulations: "),
        ('{"asset":"BTC","num_simulations":"10"}', "body.num_simulations: Input should be a valid integer"),
        ('{"asset":"\\ud800"}', "body.asset: "),
        ('{"asset":"BTC","\\ud800":1}', "body: Input should be a valid string, unable to parse"),
        ('{"asset":"BTC","odd":1}', "body.odd: Extra inputs are not permitted"),
        ('{"asset":"BTC","seed":-1}', "body.seed: "),
        ('{"asset":"BTC","time_length":5}', "time_length/time_increment must be one of "),
        ('{"asset":"DOGE"}', "asset must be one of "),
    ],
)
def test_what_is_malformed_is_refused_in_one_sentence(client: TestClient, body, text):
    refused = client.post("/simulate", content=body, headers={"content-type": "application/json"})
    assert (refused.status_code, list(refused.json())) == (400, ["message"])
    assert refused.json()["message"].startswith(text)


def test_a_body_that_is_too_long_is_refused(client: TestClient, service: Service):
    def parts() -> Iterator[bytes]:
        for _ in range(1000):
            yield b" " * 1024

    for content in (b" " * 20_000, parts()):
        refused = client.post("/simulate", content=content, headers={"content-type": "application/json"})
        assert refused.status_code == 413
        assert refused.json() == {"message": "a question has at most 16384 bytes"}
    assert service.metrics.figures().by(REFUSALS, "reason", route="simulate") == {"size": 2}
    assert client.post("/simulate", json={"asset": "BTC", "num_simulations": 5}).status_code == 200


def test_the_documents_tell_the_statuses_that_are_answered(client: TestClient):
    told = client.get("/openapi.json").json()["paths"]["/simulate"]["post"]["responses"]
    assert set(told) == {"200", "4XX", "503"}

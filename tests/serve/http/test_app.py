"""Which routes there are, and that every refusal is one message."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from synthcity.serve.answering.service import Service
from synthcity.serve.http.app import build_app


def client(service: Service, **parts: object) -> TestClient:
    return TestClient(build_app(service, **parts), raise_server_exceptions=False)  # type: ignore[arg-type]


@pytest.mark.parametrize("path", ["/simulate", "/models", "/docs", "/openapi.json", "/redoc", "/Simulation", "/"])
def test_without_people_or_an_axon_only_health_is_told(service: Service, path: str) -> None:
    inside = client(service)
    for answer in (inside.get(path), inside.post(path, json={})):
        assert answer.status_code == 404
        assert answer.json() == {"message": "Not Found"}
    assert inside.get("/healthz").status_code == 200


def test_people_have_their_routes_and_validators_theirs(service: Service) -> None:
    whole = client(service, people=service, about={"champion": "fhs"})
    assert whole.get("/models").json()["champion"] == "fhs"
    assert "/simulate" in whole.get("/openapi.json").json()["paths"]
    assert "/Simulation" not in whole.get("/openapi.json").json()["paths"]
    assert whole.post("/Simulation").status_code == 404


def test_health_is_what_engine_and_prices_say(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    app = client(service)
    assert (app.get("/healthz").status_code, app.get("/healthz").json()) == (200, {"status": "ok"})
    monkeypatch.setattr(type(service.engine.prices), "problem", "binance is away")
    assert (app.get("/healthz").status_code, app.get("/healthz").json()) == (503, {"status": "binance is away"})


def test_a_method_that_is_none_is_refused_in_words(service: Service) -> None:
    answer = client(service).delete("/healthz")
    assert (answer.status_code, answer.json()) == (405, {"message": "Method Not Allowed"})
    assert "GET" in answer.headers["allow"]


def test_a_slash_at_the_end_leads_nowhere_else(service: Service) -> None:
    assert client(service).get("/healthz/", follow_redirects=False).status_code == 404

"""Routes that are refused, with the reason."""

from __future__ import annotations

import pytest

from synthcity.bridge.gone import GONE
from synthcity.bridge.registry import operations
from tests.bridge.conftest import Running


@pytest.mark.parametrize("path", ["/registry/write", "/agents/prompts/write", "/results/share", "/bots/session/{id}"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_a_route_that_is_gone_says_why(bridge: Running, path: str, method: str) -> None:
    reason, path = GONE[path], path.format(id="a")
    with bridge.client() as client:
        reply = client.request(method, path, json={"filename": "x.py", "code": "1"} if method == "POST" else None)
    assert (reply.status_code, reply.json()["error"]) == (410, f"{path} is gone: {reason}")


def test_nothing_that_is_gone_is_an_operation() -> None:
    assert not set(GONE) & {one.route for one in operations().values()}


KEPT = {
    "GET": (
        "/health /pipeline/status /components/blocks /components/heads /components/presets /market/price/BTC "
        "/market/history/BTC /history/runs /history/run/sweep /history/experiments "
        "/history/trackio?limit=20&order=best /hf/models /hf/model-card /dashboard /dash/snapshot"
    ),
    "POST": "/pipeline/run /experiment/validate /experiment/run",
}
REFUSED = {
    "GET": (
        "/experiment/compare /experiment/compare/all /session/summary /registry/files /registry/read /hf/artifact "
        "/agents/list /agents/read /agents/tools /agents/prompts/list /agents/prompts/read /bots/sessions "
        "/bots/session/a /dash/events"
    ),
    "POST": (
        "/experiment/create /session/clear /registry/write /registry/reload /agents/write /agents/prompts/write "
        "/results/share /results/ingest"
    ),
    "DELETE": "/bots/session/a",
}


def test_every_route_that_agents_know_from_elsewhere_answers_or_says_why_not(bridge: Running) -> None:
    """What a route lacks here (a repository, a good input) is told as 4xx of its own; none is unknown."""
    with bridge.client() as client:
        for method, paths in KEPT.items():
            for path in paths.split():
                reply = client.request(method, path, json={"blocks": 1} if method == "POST" else None)
                assert reply.status_code in (200, 400), (method, path, reply.text)
        for method, paths in REFUSED.items():
            for path in paths.split():
                reply = client.request(method, path, json={} if method == "POST" else None)
                assert reply.status_code == 410, (method, path, reply.text)
        assert client.get("/history/experiments").json()["order"] == "recent"
        twice = client.get("/history/trackio?source=local")
        assert (twice.status_code, twice.json()["error"]) == (400, "history was given 'source' twice")

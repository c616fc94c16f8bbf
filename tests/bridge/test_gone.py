"""Routes that are refused, with the reason."""

from __future__ import annotations

import pytest

from synthcity.bridge.gone import GONE
from synthcity.bridge.registry import operations
from tests.bridge.conftest import Running


@pytest.mark.parametrize("path", ["/registry/write", "/agents/prompts/write", "/session/clear", "/results/share"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_route_that_is_gone_says_why(bridge: Running, path: str, method: str) -> None:
    with bridge.client() as client:
        reply = client.request(method, path, json={"filename": "x.py", "code": "1"} if method == "POST" else None)
    assert (reply.status_code, reply.json()["error"]) == (410, f"{path} is gone: {GONE[path]}")


def test_nothing_that_is_gone_is_an_operation() -> None:
    assert not set(GONE) & {one.route for one in operations().values()}

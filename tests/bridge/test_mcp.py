"""The bridge as an MCP server, driven by the client of the `mcp` package itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import mcp
import pytest
from mcp.client.streamable_http import streamable_http_client

from synthcity.bridge.mcp import mcp_server, tool
from synthcity.bridge.place import Place
from synthcity.bridge.registry import operations
from tests.bridge.conftest import Running
from tests.bridge.jobs.builders import Launched


def within(place: Place, body: Callable[[mcp.Client], Awaitable[Any]]) -> Any:
    """Run ``body`` with a client of a server in this process."""

    async def run() -> Any:
        async with mcp.Client(mcp_server(place, bot="default")) as client:
            return await body(client)

    return asyncio.run(run())


def over_http(bridge: Running, body: Callable[[mcp.Client], Awaitable[Any]], *, key: bool = True) -> Any:
    async def run() -> Any:
        headers = {"X-API-Key": bridge.key} if key else {}
        async with (
            httpx2.AsyncClient(headers=headers, trust_env=False) as http,
            mcp.Client(streamable_http_client(f"{bridge.url}/mcp", http_client=http)) as client,
        ):
            return await body(client)

    return asyncio.run(run())


def test_every_operation_is_a_tool_with_its_schemas(place: Place) -> None:
    async def listed(client: mcp.Client) -> Any:
        return await client.list_tools()

    tools = {one.name: one for one in within(place, listed).tools}
    assert list(tools) == list(operations())
    for name, one in tools.items():
        assert one.input_schema == operations()[name].input_schema
        assert one.annotations is not None
        assert one.annotations.read_only_hint is not operations()[name].writes


def test_an_answer_is_structured_and_an_error_is_a_sentence(place: Place) -> None:
    async def asked(client: mcp.Client) -> Any:
        good = await client.call_tool("history", {"limit": 3})
        bad = await client.call_tool("history", {"limit": 0})
        unknown = await client.call_tool("histroy", {})
        return good, bad, unknown

    good, bad, unknown = within(place, asked)
    assert good.structured_content["runs"][0]["id"] == "sweep"
    assert (bad.is_error, bad.content[0].text) == (True, "limit must be greater than or equal to 1, got 0")
    assert unknown.content[0].text == "unknown tool 'histroy'; did you mean 'history'?"


@pytest.mark.parametrize("key", [True, False])
def test_over_http_what_writes_wants_the_key(bridge: Running, launched: Launched, key: bool) -> None:
    async def asked(client: mcp.Client) -> Any:
        return await client.call_tool("jobs", {}), await client.call_tool("stop", {"id": "0" * 12})

    jobs, stopped = over_http(bridge, asked, key=key)
    assert jobs.structured_content["total"] == 0
    assert stopped.is_error
    expected = "there is no job '000000000000' of the bot 'default'" if key else "Invalid or missing API key"
    assert stopped.content[0].text == expected


def test_a_page_elsewhere_reaches_no_tool(bridge: Running) -> None:
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
    with bridge.client() as client:
        foreign = client.post("/mcp", json=call, headers={"Origin": "http://evil.example"})
    assert foreign.status_code == 403


def test_a_tool_says_whether_it_writes() -> None:
    assert tool(operations()["jobs"]).annotations.read_only_hint
    assert not tool(operations()["stop"]).annotations.read_only_hint

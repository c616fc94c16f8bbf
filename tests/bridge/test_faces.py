"""The same operations by every face give the same answers."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import mcp
import pytest
from mcp.client.stdio import StdioServerParameters, stdio_client

from synthcity.bridge.mcp import mcp_server
from synthcity.bridge.operation import Operation
from synthcity.bridge.registry import operations
from tests.bridge.conftest import Running
from tests.bridge.test_mcp import over_http
from tests.cli.test_handpicked import invoke

ASKED: dict[str, dict[str, Any]] = {
    "blocks": {},
    "heads": {},
    "presets": {},
    "validate": {"blocks": ["tcn"], "head": "nope"},
    "history": {"order": "worst", "limit": 1},
    "trends": {"competition": "crypto-24h"},
    "show": {"id": "sweep"},
    "live": {"id": "live", "limit": 3},
    "jobs": {"limit": 5},
    "status": {},
    "health": {},
    "store": {},
    "price_history": {"asset": "BTC", "days": 1},
    "vault": {"kind": "run"},
    "pipelines": {},
    "model_card": {},  # of no repository
    "job": {"id": "0" * 12},  # which is not there
    "rounds": {"id": "0" * 12},
    "miner": {},  # nor is that
    "price": {"asset": "ETH"},  # nor that
}


def told(answer: Any) -> Any:
    """What a tool of MCP answered, or the sentence of its error."""
    return {"error": answer.content[0].text} if answer.is_error else answer.structured_content


async def all_tools(client: mcp.Client) -> dict[str, Any]:
    return {name: told(await client.call_tool(name, given)) for name, given in ASKED.items()}


def by_http(bridge: Running, operation: Operation, given: dict[str, Any]) -> Any:
    path = operation.address(**{name: str(given[name]) for name in operation.in_path})
    rest = {name: value for name, value in given.items() if name not in operation.in_path}
    with bridge.client() as client:
        reply = client.get(path, params=rest) if operation.method == "GET" else client.post(path, json=rest)
    return reply.json()


def options(operation: Operation, given: dict[str, Any]) -> list[str]:
    """The same, as it is typed."""
    typed = [str(given[name]) for name in operation.in_path]
    for name, value in given.items():
        if name not in operation.in_path:
            typed += [f"--{name.replace('_', '-')}", ",".join(value) if isinstance(value, list) else str(value)]
    return [operation.name.replace("_", "-"), *typed, "--json"]


def test_http_mcp_and_the_client_tell_the_same(bridge: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNTH_BRIDGE_URL", bridge.url)
    tools = over_http(bridge, all_tools)

    async def here() -> dict[str, Any]:
        async with mcp.Client(mcp_server(bridge.place, bot="default")) as client:
            return await all_tools(client)

    assert asyncio.run(here()) == tools
    for name, given in ASKED.items():
        answer = by_http(bridge, operations()[name], given)
        assert answer == tools[name], name
        done = invoke("client", *options(operations()[name], given))
        assert (json.loads(done.output) if done.exit_code == 0 else {"error": str(done.exception)}) == answer, name


def test_what_is_asked_is_every_operation_that_only_reads() -> None:
    assert set(ASKED) == {name for name, one in operations().items() if not one.writes}


@pytest.mark.slow
def test_a_host_of_mcp_starts_it_and_calls_every_tool(bridge: Running, tmp_path: Path) -> None:
    place = bridge.place
    folders = ["--state", place.state, "--runs", place.runs, "--configs", place.configs, "--data", place.data]
    arguments = ["-m", "synthcity", "mcp", *map(str, folders), "--vault", place.vault]
    root = str(Path(__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": root}

    async def run() -> tuple[dict[str, Any], list[str]]:
        server = StdioServerParameters(command=sys.executable, args=arguments, cwd=tmp_path, env=environment)
        async with mcp.Client(stdio_client(server)) as client:
            return await all_tools(client), [tool.name for tool in (await client.list_tools()).tools]

    tools, names = asyncio.run(run())
    assert names == list(operations())
    assert tools == {name: by_http(bridge, operations()[name], given) for name, given in ASKED.items()}


@pytest.mark.slow
def test_the_client_is_a_command_whose_output_is_json(bridge: Running) -> None:
    environment = {**os.environ, "SYNTH_BRIDGE_URL": bridge.url, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-m", "synthcity", "client", "history", "--json"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == by_http(bridge, operations()["history"], {})
    gone = subprocess.run([*command[:4], "show", "none"], env=environment, capture_output=True, text=True, check=False)
    assert (gone.returncode, gone.stdout) == (3, "")
    assert gone.stderr.startswith("error: there is no run 'none'")

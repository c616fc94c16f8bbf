"""The bridge as an MCP server: every operation is a tool, over stdio for one agent, at ``/mcp`` for others."""

from __future__ import annotations

import json
import logging
from typing import Any

import anyio
from mcp import types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from starlette.requests import Request

import synthcity
from synthcity.bridge.guard import CALLER
from synthcity.bridge.operation import Operation
from synthcity.bridge.place import Place
from synthcity.bridge.registry import operations
from synthcity.errors import SynthcityError, unknown_name

_Context = ServerRequestContext[Any, Any]
_log = logging.getLogger(__name__)
_ABOUT = (
    "Find, prove and serve forecasting models for miners of Bittensor Subnet 50. What trains returns a job at once; "
    "ask `job` until its state is no longer running. Leads are percent against the best baseline, minus is better."
)


def mcp_server(place: Place, *, bot: str) -> Server[Any]:
    """Return the server; over HTTP bot and key are those of the request, over stdio the caller is this user."""

    async def list_tools(_: _Context, __: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        return types.ListToolsResult(tools=[tool(one) for one in operations().values()])

    async def call_tool(context: _Context, params: types.CallToolRequestParams) -> types.CallToolResult:
        operation = operations().get(params.name)
        if operation is None:
            return _wrong(unknown_name("tool", params.name, operations()))
        who, has_key = bot, True
        if isinstance(context.request, Request):
            caller = context.request.scope[CALLER]
            who, has_key = caller.bot, caller.has_key
        if operation.writes and not has_key:
            return _wrong("Invalid or missing API key")
        try:
            answer = await anyio.to_thread.run_sync(lambda: operation.do(params.arguments or {}, place, who))
        except SynthcityError as error:
            return _wrong(str(error))
        text = types.TextContent(type="text", text=json.dumps(answer, allow_nan=False))
        return types.CallToolResult(content=[text], structured_content=dict(answer))

    return Server(
        "synthcity",
        version=synthcity.__version__,
        instructions=_ABOUT,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


def tool(operation: Operation[Any]) -> types.Tool:
    """Return what MCP is told of an operation."""
    return types.Tool(
        name=operation.name,
        description=operation.about,
        input_schema=operation.input_schema,
        output_schema=operation.output_schema,
        annotations=types.ToolAnnotations(
            read_only_hint=not operation.writes, destructive_hint=False, open_world_hint=False
        ),
    )


async def serve_stdio(place: Place, *, bot: str) -> None:
    """Serve one agent over standard input and output until it closes them."""
    server = mcp_server(place, bot=bot)
    async with stdio_server() as (incoming, outgoing):
        await server.run(incoming, outgoing, server.create_initialization_options())


def _wrong(sentence: str) -> types.CallToolResult:
    return types.CallToolResult(content=[types.TextContent(type="text", text=sentence)], is_error=True)

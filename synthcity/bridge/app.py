"""The bridge over HTTP: a route for every operation, MCP, events of jobs, and what explains itself."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import anyio
from mcp.server.streamable_http_manager import StreamableHTTPASGIApp, StreamableHTTPSessionManager
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from synthcity.bridge.dashboard.routes import page_routes
from synthcity.bridge.events import Streams
from synthcity.bridge.gone import gone_routes
from synthcity.bridge.guard import CALLER, Caller
from synthcity.bridge.mcp import mcp_server
from synthcity.bridge.openapi import document
from synthcity.bridge.operation import Operation, Refused
from synthcity.bridge.place import DEFAULT_BOT, Place
from synthcity.bridge.registry import operations
from synthcity.errors import SynthcityError
from synthcity.strict_json import loads

MOST_AT_ONCE = 16  # operations that are worked on, in threads
MCP = "/mcp"
_KEY_FIELD, _KEY_HEADER = "idempotency_key", "idempotency-key"
_log = logging.getLogger(__name__)


class Plain(JSONResponse):
    """JSON of ASCII alone, since texts of people may hold half a character."""

    def render(self, content: object) -> bytes:
        """Return the bytes."""
        return json.dumps(content, allow_nan=False, separators=(",", ":")).encode()


def build_app(place: Place) -> Starlette:
    """Return the application, without its guard."""
    limiter: list[anyio.CapacityLimiter] = []  # which belongs to the loop that serves

    async def work(operation: Operation[Any], request: Request, preset: Mapping[str, str]) -> Response:
        given = await _given(operation, request, preset)
        caller = _caller(request)
        if not limiter:
            limiter.append(anyio.CapacityLimiter(MOST_AT_ONCE))
        answer = await anyio.to_thread.run_sync(
            lambda: operation.do(given, place, caller.bot, are_texts=operation.method == "GET"), limiter=limiter[0]
        )
        return Plain(answer, 202 if operation.long else 200)

    routes: list[BaseRoute] = [
        Route(path, _endpoint(one, work, preset), methods=[one.method], name=one.name)
        for one in operations().values()
        for path, preset in {one.route: {}, **one.also}.items()
    ]
    manager = StreamableHTTPSessionManager(mcp_server(place, bot=DEFAULT_BOT), json_response=True, stateless=True)
    routes += [
        Route(MCP, StreamableHTTPASGIApp(manager)),
        Route("/jobs/{id}/events", Streams(place).answer),
        Route("/openapi.json", _openapi),
        *page_routes(place),
        *gone_routes(),
    ]
    return Starlette(
        routes=routes,
        lifespan=lambda _: manager.run(),
        exception_handlers={SynthcityError: _tell, HTTPException: _tell_http, Exception: _tell_fault},
    )


async def _openapi(_: Request) -> Response:
    return Plain(document())


def reading_posts() -> list[str]:
    """Paths whose POST changes nothing by itself; a tool of MCP that writes asks for the key again."""
    return [MCP, *(one.route for one in operations().values() if one.method == "POST" and not one.writes)]


def status_of(error: SynthcityError) -> int:
    """What HTTP says to an error: ours or not there, by its exit code."""
    if isinstance(error, Refused):
        return error.status
    return {2: 400, 3: 503}.get(error.exit_code, 500)


def _endpoint(
    operation: Operation[Any],
    work: Callable[[Operation[Any], Request, Mapping[str, str]], Awaitable[Response]],
    preset: Mapping[str, str],
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        return await work(operation, request, preset)

    return endpoint


def _caller(request: Request) -> Caller:
    caller = request.scope[CALLER]
    assert isinstance(caller, Caller)
    return caller


async def _given(operation: Operation[Any], request: Request, preset: Mapping[str, str]) -> dict[str, object]:
    """What was given by the route itself, in path, query, body and headers; nothing may be given twice."""
    given: dict[str, object] = {**preset, **request.path_params}
    if operation.method == "GET":
        pairs: list[tuple[str, object]] = list(request.query_params.multi_items())
    else:
        pairs = list(_object(operation, await request.body()).items())
        if _KEY_FIELD in operation.takes.model_fields and (key := request.headers.get(_KEY_HEADER)) is not None:
            pairs.append((_KEY_FIELD, key))
    for name, value in pairs:
        if name in given:
            raise Refused(f"{operation.name} was given {name[:80]!r} twice")
        given[name] = value
    return given


def _object(operation: Operation[Any], body: bytes) -> dict[str, object]:
    try:
        data = loads(body) if body.strip() else {}
    except ValueError as error:
        raise Refused(f"the body is no JSON: {error}") from None
    if not isinstance(data, dict):
        raise Refused(f"{operation.name} takes a JSON object of names and values")
    return data


def _tell(request: Request, error: Exception) -> Response:
    assert isinstance(error, SynthcityError)
    return Plain({"error": str(error)}, status_of(error), error.headers if isinstance(error, Refused) else None)


def _tell_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return Plain({"error": str(error.detail)}, error.status_code, error.headers)


def _tell_fault(request: Request, error: Exception) -> Response:
    _log.error("a fault in %s %s", request.method, request.url.path, exc_info=error)
    return Plain({"error": "a fault of the bridge; its log says more"}, 500)

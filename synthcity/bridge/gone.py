"""Routes of an earlier bridge that this one refuses, each with its reason."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

_CODE = "it wrote code that then ran; here the author alone writes components, in a locked process: `search.author`"
_AGENTS = "agents and their prompts come with the package and are changed there"
_SESSION = "every job has a run of its own: POST /experiment/run, GET /jobs"
_EVENTS = "events belong to a job: GET /jobs/ID/events"
_ARTIFACT = "a file of a repository proves nothing by itself; `synthcity pull` takes a bundle and scores it again"
_SHARE = "only what is proven leaves the house, by `synthcity publish`; others' runs come by `synthcity pull`"
GONE = {
    "/registry/write": _CODE,
    "/registry/reload": _CODE,
    "/registry/files": _CODE,
    "/registry/read": _CODE,
    "/agents/write": _CODE,
    "/agents/prompts/write": _CODE,
    "/agents/list": _AGENTS,
    "/agents/read": _AGENTS,
    "/agents/tools": _AGENTS,
    "/agents/prompts/list": _AGENTS,
    "/agents/prompts/read": _AGENTS,
    "/session/clear": _SESSION,
    "/session/summary": _SESSION,
    "/experiment/create": _SESSION,
    "/experiment/compare": _SESSION,
    "/experiment/compare/all": _SESSION,
    "/bots/sessions": _SESSION,
    "/bots/session/{id}": _SESSION,
    "/dash/events": _EVENTS,
    "/hf/artifact": _ARTIFACT,
    "/results/share": _SHARE,
    "/results/ingest": _SHARE,
}


def gone_routes() -> list[BaseRoute]:
    """Return a route for each, which answers 410."""
    return [Route(path, _teller(reason), methods=["GET", "POST", "DELETE"]) for path, reason in GONE.items()]


def _teller(reason: str) -> Callable[[Request], Awaitable[Response]]:
    async def tell(request: Request) -> Response:
        return JSONResponse({"error": f"{request.url.path} is gone: {reason}"}, 410)

    return tell

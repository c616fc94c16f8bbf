"""Routes of the pages; each answer forbids the browser all that does not come from here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib import resources

import anyio
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from synthcity.bridge.dashboard.pages import asset, docs_page, front, report_page, run_page
from synthcity.bridge.guard import CALLER
from synthcity.bridge.place import DEFAULT_BOT, Place, checked_bot

_SAFE = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
# a report holds its own style and script, and asks for nothing
_OWN = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
_REPORT = {**_SAFE, "Content-Security-Policy": _OWN}


def page_routes(place: Place) -> list[BaseRoute]:
    """Return the routes."""
    return [
        Route("/", _page(lambda request: front(place, _bot(request)))),
        Route("/dashboard", _page(lambda request: front(place, _bot(request)))),
        Route("/docs", _page(lambda _: docs_page())),
        Route("/runs/{id}", _page(lambda request: run_page(place, _bot(request), request.path_params["id"]))),
        Route(
            "/runs/{id}/report",
            _page(lambda request: report_page(place, _bot(request), request.path_params["id"]), _REPORT),
        ),
        Route("/dashboard/page.css", _page(lambda _: _style(), _SAFE, "text/css")),
        Route("/dashboard/page.js", _page(lambda _: asset("page.js"), _SAFE, "text/javascript")),
    ]


def _bot(request: Request) -> str:
    """Whose page: that of the address, since a browser sends no header of ours."""
    bot: str = request.scope[CALLER].bot
    return checked_bot(request.query_params.get("bot", DEFAULT_BOT)) if bot == DEFAULT_BOT else bot


def _style() -> str:
    shared = resources.files("synthcity.search.report") / "templates" / "report.css"
    return shared.read_text(encoding="utf-8") + asset("page.css")


def _page(
    draw: Callable[[Request], str | bytes], headers: dict[str, str] = _SAFE, kind: str = "text/html"
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        content = await anyio.to_thread.run_sync(draw, request)
        return Response(content, media_type=kind, headers=headers)

    return endpoint

"""All routes as one ASGI application; it runs alike under any ASGI server and as a replica of Ray Serve."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

import synthcity
from synthcity.serve.admission.wire import ROUTE
from synthcity.serve.answering.service import Service
from synthcity.serve.http.axon import Axon
from synthcity.serve.http.rest import rest_routes


def build_app(
    service: Service,
    *,
    axon: Axon | None = None,
    people: Service | None = None,
    about: Mapping[str, object] | None = None,
    lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]] | None = None,
) -> FastAPI:
    """Return the application.

    Args:
        service: answers prompts.
        axon: answers validators at ``POST /Simulation``; without it that route does not exist.
        people: answers people and tools; without it neither ``/simulate`` nor ``/models`` nor ``/docs`` exist, since
            they ask nobody for a name.
        about: what ``/models`` tells.
        lifespan: what to do at start and end.
    """
    app = FastAPI(
        title="synthcity",
        version=synthcity.__version__,
        lifespan=lifespan,
        redirect_slashes=False,
        openapi_url=None if people is None else "/openapi.json",  # without it there are no docs either
    )

    @app.exception_handler(HTTPException)
    async def tell(_: Request, error: HTTPException) -> Response:
        return JSONResponse({"message": str(error.detail)}, error.status_code, error.headers)

    @app.exception_handler(RequestValidationError)
    async def tell_malformed(_: Request, error: RequestValidationError) -> Response:
        # FastAPI's own answer repeats what was sent, and fails on what JSON cannot hold: NaN, half a character
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        return JSONResponse({"message": f"{where[:80]}: {first['msg']}"}, 400)

    if axon is not None:
        app.add_route(ROUTE, axon.__call__, methods=["POST"], include_in_schema=False)
    if people is not None:
        app.include_router(rest_routes(people, about or {}))

    @app.get("/healthz")
    async def healthz() -> Response:
        """Whether prompts are answered by the model, and prices go on coming."""
        problem = service.engine.problem or service.engine.prices.problem
        return JSONResponse({"status": problem or "ok"}, 503 if problem else 200)

    return app

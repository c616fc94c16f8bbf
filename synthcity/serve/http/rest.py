"""REST for people and tools: paths of any asset as JSON or as a NumPy file, health, and what is served."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Annotated

import numpy as np
import orjson
from fastapi import APIRouter, Header
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Message

from synthcity.durations import DAY
from synthcity.serve.admission.question import QuestionConfig, check_question
from synthcity.serve.admission.refusal import Refusal
from synthcity.serve.answering.clock import Answer
from synthcity.serve.answering.service import Asked, Service, read_limited
from synthcity.sn50.prompt import Prompt

PATIENCE_SECONDS = 30.0
NUMPY_TYPE = "application/x-npy"
_ROUTE = "simulate"


class SimulateRequest(BaseModel):
    """What to simulate."""

    model_config = ConfigDict(extra="forbid", strict=True)

    asset: str = Field(max_length=40, examples=["BTC"])
    time_length: int = Field(DAY, description="Seconds ahead.")
    time_increment: int = Field(300, description="Seconds between two points.")
    num_simulations: int = Field(1000, description="Number of paths.")
    start_time: int | None = Field(None, description="Unix seconds of the first point; the next minute if left out.")
    seed: int | None = Field(None, ge=0, lt=2**62, description="The same seed and prices give the same paths.")


class SimulateAnswer(BaseModel):
    """Paths and where they come from."""

    prompt: dict[str, str | int]
    seed: int
    forecaster: str
    fallback: str | None = Field(
        description="Why not the model: late, crowded, stuck, failed or foreign; null if it did."
    )
    price: float
    price_age_seconds: int
    paths: list[list[float]] = Field(description="(num_simulations, time_length / time_increment + 1) prices")


def rest_routes(service: Service, about: Mapping[str, object], question: QuestionConfig | None = None) -> APIRouter:
    """Return ``POST /simulate`` and ``GET /models``; ``about`` is what the latter tells."""
    bounds = QuestionConfig() if question is None else question
    router = APIRouter(route_class=_limited(service))

    @router.post(
        "/simulate",
        response_model=SimulateAnswer,
        responses={
            200: {"content": {NUMPY_TYPE: {}}, "description": f"JSON, or with Accept: {NUMPY_TYPE} a .npy file"},
            "4XX": {"description": "400: malformed, or out of bounds; 408: too slow; 413: too long"},
            503: {"description": "too much to do, or no prices"},
        },
    )
    async def simulate(body: SimulateRequest, accept: Annotated[str, Header()] = "application/json") -> Response:
        """Simulate price paths from the latest prices."""
        begin, now = time.perf_counter(), service.moment(body.asset)
        asked = Asked(route=_ROUTE, caller="", now=now, begin=begin, patience_seconds=PATIENCE_SECONDS)
        raw = NUMPY_TYPE in accept
        try:
            prompt = check_question(
                body.asset,
                (body.time_length, body.time_increment),
                body.num_simulations,
                int(now) // 60 * 60 + 60 if body.start_time is None else body.start_time,
                now,
                bounds,
            )
            answered = await service.answer(asked, prompt, _npy if raw else _json, body.seed)
        except Refusal as refusal:
            return service.refuse(_ROUTE, refusal)
        told = {
            "prompt": _fields(prompt),
            "seed": answered.seed,
            "forecaster": answered.forecaster,
            "fallback": answered.fallback,
            "price": answered.answer.price,
            "price_age_seconds": answered.answer.price_age,
        }
        if raw:
            return Response(answered.result, 200, {"x-synthcity": json.dumps(told)}, NUMPY_TYPE)
        head = orjson.dumps(told)
        return Response(head[:-1] + b',"paths":' + answered.result + b"}", 200, None, "application/json")

    @router.get("/models")
    async def models() -> Response:
        """What is served."""
        return JSONResponse(dict(about))

    return router


def _limited(service: Service) -> type[APIRoute]:
    """Return a kind of route that reads no more of a body than a question may have."""

    class Limited(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[None, None, Response]]:
            handle = super().get_route_handler()

            async def limited(request: Request) -> Response:
                try:
                    body = await read_limited(request)
                except Refusal as refusal:
                    return service.refuse(_ROUTE, refusal)

                async def receive() -> Message:
                    return {"type": "http.request", "body": body, "more_body": False}

                return await handle(Request(request.scope, receive))

            return limited

    return Limited


def _npy(answer: Answer) -> bytes:
    file = io.BytesIO()
    np.save(file, answer.paths, allow_pickle=False)
    return file.getvalue()


def _json(answer: Answer) -> bytes:
    return orjson.dumps(np.ascontiguousarray(answer.paths), option=orjson.OPT_SERIALIZE_NUMPY)


def _fields(prompt: Prompt) -> dict[str, str | int]:
    return {
        "asset": prompt.asset,
        "start_time": prompt.start_time,
        "time_length": prompt.time_length,
        "time_increment": prompt.time_increment,
        "num_simulations": prompt.num_simulations,
    }

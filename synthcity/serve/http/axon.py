"""``POST /Simulation``: what a validator's dendrite of bittensor 10 expects of an axon, without bittensor.

The same question may come with the headers of ``btauth/1``, those of bittensor 11.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response

from synthcity.errors import RunError
from synthcity.serve.admission import btauth
from synthcity.serve.admission.admission import Admission, Caller, Held
from synthcity.serve.admission.question import QuestionConfig, read_body
from synthcity.serve.admission.refusal import Refusal
from synthcity.serve.admission.sparing import Sparing
from synthcity.serve.answering.reply import accepts_gzip, compress, encode_reply
from synthcity.serve.answering.service import Asked, Service, read_limited

COMPRESS_FROM = 64 * 1024
_ROUTE = "Simulation"
_HELD_SECONDS, _HELD_TURNS = 0.05, 10
_log = logging.getLogger(__name__)


class Axon:
    """The route as an endpoint of Starlette."""

    def __init__(
        self,
        service: Service,
        admission: Admission,
        question: QuestionConfig | None = None,
        *,
        compress_from: int | None = COMPRESS_FROM,
    ) -> None:
        """Args: answers of ``compress_from`` bytes are compressed for callers that accept it; None: never."""
        self._log = Sparing(_log)
        self._service = service
        self._admission = admission
        self._question = QuestionConfig() if question is None else question
        self._compress_from = compress_from

    async def __call__(self, request: Request) -> Response:
        """Answer 200 with paths, or a status and ``{"message": ...}``."""
        try:
            return await self._answer(request)
        except RunError as error:  # a nonce that is not remembered could be used twice
            self._log.error("%s", error)
            return self._service.refuse(_ROUTE, Refusal(503, "disk", "requests cannot be checked now; ask again later"))
        except Refusal as refusal:
            return self._service.refuse(_ROUTE, refusal)

    async def _answer(self, request: Request) -> Response:
        begin, now = time.perf_counter(), self._service.clock()
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise Refusal(400, "malformed", "the content type must be application/json")
        ip = request.client.host if request.client else ""
        headers, now_ns = dict(request.headers), int(now * 1e9)
        if btauth.MARK in headers:
            body = await read_limited(request)
            target = _target(request)
            caller = await _patient(lambda: self._admission.admit_signed(headers, body, target, ip, now_ns))
        else:
            caller = await _patient(lambda: self._admission.admit(headers, ip, now_ns))
            body = await read_limited(request)
        prompt = read_body(body, now, self._question)
        asked = Asked(route=_ROUTE, caller=caller.hotkey, now=now, begin=begin, patience_seconds=caller.timeout_seconds)
        answered = await self._service.answer(asked, prompt, lambda answer: encode_reply(answer.paths, prompt))
        response = await self._respond(answered.result, request.headers.get("accept-encoding", ""))
        response.background = BackgroundTask(self._admission.answered, caller)  # once the last byte is on its way
        return response

    async def _respond(self, content: bytes, accept_encoding: str) -> Response:
        headers = {}
        if self._compress_from is not None and len(content) >= self._compress_from:
            headers["vary"] = "accept-encoding"
            if accepts_gzip(accept_encoding):
                content = await asyncio.to_thread(compress, content)
                headers["content-encoding"] = "gzip"
        return Response(content, 200, headers, "application/json")


async def _patient(admit: Callable[[], Caller]) -> Caller:
    """Admit; wait half a second for what another replica holds, since one that is killed loses its connections first.

    Raises:
        Refusal: as ``admit``.
    """
    for _ in range(_HELD_TURNS):
        try:
            return admit()
        except Held:
            await asyncio.sleep(_HELD_SECONDS)
    return admit()


def _target(request: Request) -> str:
    query = request.url.query
    return f"{request.url.path}?{query}" if query else request.url.path

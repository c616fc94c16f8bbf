"""The stand-in as an ASGI application: Chutes' routes, checks and errors around a script."""

from __future__ import annotations

import asyncio
import datetime
import json
import re
import uuid
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from synthcity.agents.standin.answer import ScriptedAnswer, compose
from synthcity.agents.standin.script import STATUSES, Asked, Behaviour, ChatBody, Script
from synthcity.errors import ConfigError

_KEY = re.compile(r"cpk_[0-9a-f]{32}\.[0-9a-f]{32}\.[0-9A-Za-z]{32}")
_ERROR_LINE = b'{"error": "Unhandled exception during response stream: upstream went away"}\n'


class StandIn:
    """The state of one server: its script and what it was asked."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.asked: list[Asked] = []
        self._index = 0

    def app(self) -> Starlette:
        """Return the application; besides Chutes' routes ``POST /script`` and ``GET /requests`` steer it."""
        routes = [
            Route("/v1/models", self.models),
            Route("/v1/chat/completions", self.chat, methods=["POST"]),
            Route("/script", self.set_script, methods=["POST"]),
            Route("/requests", self.requests),
        ]
        return Starlette(routes=routes)

    async def set_script(self, request: Request) -> Response:
        try:
            self.script = Script.parse(await request.json(), self.script.policy)
        except ConfigError as error:
            return _detail(400, str(error))
        self.asked, self._index = [], 0
        return Response()

    async def requests(self, _: Request) -> Response:
        answer = JSONResponse(self.asked)
        self.asked = []
        return answer

    async def models(self, request: Request) -> Response:
        self._log(request, None)
        if self.script.listing in ("missing", "down"):
            down = self.script.listing == "down"
            return _detail(503 if down else 404, "Service Unavailable" if down else "Not Found")
        return JSONResponse({"object": "list", "data": self.script.rows()})

    async def chat(self, request: Request) -> Response:
        raw = await request.body()
        try:
            body = json.loads(raw)
        except ValueError as error:
            return _detail(400, f"invalid request JSON payload: {error}")
        self._log(request, body)
        if (refusal := self._refusal(request, body)) is not None:
            return refusal
        index, self._index = self._index, self._index + 1
        behaviour = self.script.behaviour(body, index)
        return await self._behave(behaviour, body, index)

    def _log(self, request: Request, body: ChatBody | None) -> None:
        # what was sent, the key left out: a test that looks for it must not find it here
        names = sorted(name for name in request.headers if name != "authorization")
        self.asked.append({"path": request.url.path, "headers": names, "body": body})

    def _refusal(self, request: Request, body: ChatBody) -> Response | None:
        """Check what Chutes checks before a model hears of it."""
        if self.script.auth:
            header = request.headers.get("authorization", "").split()
            if not header:
                return _detail(401, "Authentication required.")
            if not _KEY.fullmatch(header[-1]):
                return _detail(401, "Invalid token or user not found")
        model = str(body.get("model", "")).removesuffix(":THINKING")
        row = next((row for row in self.script.models if row["id"] == model), None)
        if row is None:
            return _detail(404, f"model not found: {model}")
        messages = body.get("messages")
        if not isinstance(messages, list) or not messages:
            return _detail(400, "bad_request: messages must not be empty")
        for message in messages:
            for call in message.get("tool_calls") or ():
                if not _is_json(call["function"].get("arguments") or "null"):
                    return _detail(400, "Invalid tool_calls.function.arguments value, expected JSON")
        length = row.get("max_model_len", 10**9)
        if _num_tokens(body) > length:
            text = f"This model's maximum context length is {length} tokens, however you requested more."
            return JSONResponse({"object": "error", "message": text, "type": "BadRequestError", "code": 400}, 400)
        return None

    async def _behave(self, behaviour: Behaviour, body: ChatBody, index: int) -> Response:
        do = behaviour["do"]
        if do in STATUSES:
            return _status(behaviour)
        if do == "hang":
            await asyncio.sleep(behaviour.get("seconds", 30.0))
            return _detail(500, "No result returned from upstream")
        if do == "drip":
            return StreamingResponse(_drip(behaviour.get("seconds", 30.0)), media_type="application/json")
        if do == "not_json":
            return Response("<html><body>502 Bad Gateway</body></html>", media_type="text/html")
        if do == "raw":
            return JSONResponse(behaviour["body"])
        if behaviour.get("delay"):
            await asyncio.sleep(behaviour["delay"])
        answer = compose(behaviour, body, self.script.rng(index))
        invocation = {"X-Chutes-InvocationID": str(uuid.UUID(int=index + 1))}
        if body.get("stream"):
            return StreamingResponse(_stream(answer, behaviour, body), 200, invocation, "text/event-stream")
        data = json.dumps(_completion(answer, behaviour, body)).encode()
        if do == "truncate":
            return Response(data[: len(data) // 2], 200, invocation, "application/json")
        if do == "disconnect":
            headers = invocation | {"Content-Length": str(len(data))}
            return StreamingResponse(_half(data), 200, headers, "application/json")
        return Response(data, 200, invocation, "application/json")


def _status(behaviour: Behaviour) -> Response:
    status, detail = STATUSES[behaviour["do"]]
    detail = behaviour.get("detail", detail)
    if behaviour["do"] == "quota" and isinstance(detail, dict):
        reset = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=behaviour.get("seconds", 3600.0))
        detail = {**detail, "quota_reset_timestamp": behaviour.get("reset", reset.isoformat())}
    headers = dict(behaviour.get("headers", {}))
    if "retry_after" in behaviour:
        headers["Retry-After"] = str(behaviour["retry_after"])
    return JSONResponse({"detail": detail}, behaviour.get("status", status), headers)


def _completion(answer: ScriptedAnswer, behaviour: Behaviour, body: ChatBody) -> dict[str, object]:
    message: dict[str, object] = {"role": "assistant", "content": answer.content or None}
    if answer.reasoning:
        message["reasoning_content"] = answer.reasoning
    if answer.tool_calls:
        message["tool_calls"] = answer.tool_calls
    choice = {"index": 0, "message": message, "finish_reason": answer.finish_reason}
    completion = _head("chat.completion", behaviour, body) | {"choices": [choice]}
    usage = behaviour.get("usage", _usage(answer, body))
    return completion if usage is None else completion | {"usage": usage}


async def _stream(answer: ScriptedAnswer, behaviour: Behaviour, body: ChatBody) -> AsyncIterator[bytes]:
    head = _head("chat.completion.chunk", behaviour, body)

    def chunk(delta: dict[str, object], reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        return b"data: " + json.dumps(head | {"choices": [choice]}).encode() + b"\n\n"

    yield chunk({"role": "assistant", "content": ""})
    size = max(1, len(answer.content) // 4)
    pieces = [answer.content[n : n + size] for n in range(0, len(answer.content), size)]
    if behaviour["do"] == "truncate":
        for piece in pieces[:2]:
            yield chunk({"content": piece})
        yield _ERROR_LINE
        return
    for piece in pieces:
        yield chunk({"content": piece})
    for number, call in enumerate(answer.tool_calls):
        yield chunk({"tool_calls": [{"index": number, **call}]})
    yield chunk({}, answer.finish_reason)
    yield b"data: " + json.dumps(head | {"choices": [], "usage": _usage(answer, body)}).encode() + b"\n\n"
    yield b"data: [DONE]\n\n"


async def _drip(seconds: float) -> AsyncIterator[bytes]:
    for _ in range(int(seconds / 0.02)):
        yield b" "
        await asyncio.sleep(0.02)


async def _half(data: bytes) -> AsyncIterator[bytes]:
    yield data[: len(data) // 2]
    await asyncio.sleep(0.01)


def _head(kind: str, behaviour: Behaviour, body: ChatBody) -> dict[str, object]:
    return {
        "id": "chatcmpl-standin",
        "object": kind,
        "created": 1_790_000_000,
        "model": behaviour.get("model", body["model"]),
    }


def _usage(answer: ScriptedAnswer, body: ChatBody) -> dict[str, object]:
    prompt, completion = _num_tokens(body), answer.num_tokens
    details = {"reasoning_tokens": len(answer.reasoning) // 4}
    total = {"total_tokens": prompt + completion, "completion_tokens_details": details}
    return {"prompt_tokens": prompt, "completion_tokens": completion} | total


def _num_tokens(body: ChatBody) -> int:
    return 1 + len(json.dumps([body.get("messages"), body.get("tools")])) // 4


def _detail(status: int, detail: object) -> Response:
    return JSONResponse({"detail": detail}, status)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True

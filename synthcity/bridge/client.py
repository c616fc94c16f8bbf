"""Asks a bridge over HTTP; a question that starts something is repeated by its idempotency key alone."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import httpx

from synthcity.bridge.operation import Operation, Refused
from synthcity.errors import SynthcityError
from synthcity.settings import Secret

_ATTEMPTS, _PAUSE_SECONDS = 3, 0.5
_CONNECT_SECONDS = 5.0


class BridgeAway(SynthcityError):
    """No bridge answers, or not as one."""

    exit_code = 3


class Client:
    """One bridge. Use as a context manager."""

    def __init__(self, url: str, key: Secret, bot: str, *, timeout: float) -> None:
        """Args: ``timeout`` is how many seconds an answer may take."""
        headers = {"X-Bot-Id": bot} | ({"X-API-Key": key.reveal()} if key else {})
        patience = httpx.Timeout(timeout, connect=min(_CONNECT_SECONDS, timeout))
        self._url = url
        # a proxy of the environment is for the world outside, not for a bridge
        self._http = httpx.Client(base_url=url, headers=headers, timeout=patience, trust_env=False)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def ask(self, operation: Operation[Any], given: Mapping[str, Any]) -> dict[str, Any]:
        """Do one operation and return its answer.

        Raises:
            ConfigError: what was given is wrong, which is found out here.
            Refused: the bridge refuses.
            BridgeAway: it does not answer.
        """
        operation.read(given)
        route = operation.address(**{name: quote(str(given[name]), safe="") for name in operation.in_path})
        rest = {name: value for name, value in given.items() if name not in operation.in_path}
        if operation.method == "GET":
            texts = {name: str(value) for name, value in rest.items() if value is not None}
            return self._answer("GET", route, params=texts)
        if "idempotency_key" in operation.takes.model_fields and rest.get("idempotency_key") is None:
            rest["idempotency_key"] = secrets.token_hex(12)
        is_safe = "idempotency_key" in rest or not operation.writes
        return self._answer("POST", route, json=rest, attempts=_ATTEMPTS if is_safe else 1)

    def _answer(self, method: str, route: str, *, attempts: int = _ATTEMPTS, **sent: Any) -> dict[str, Any]:
        for attempt in range(attempts):
            try:
                reply = self._http.request(method, route, **sent)
                break
            except httpx.TransportError as error:
                problem = BridgeAway(
                    f"no bridge answers at {self._url} ({str(error) or type(error).__name__}); "
                    "`synthcity bridge` starts one, SYNTH_BRIDGE_URL names another"
                )
                if attempt + 1 == attempts:
                    raise problem from error
                time.sleep(_PAUSE_SECONDS)
        try:
            told = reply.json()
        except ValueError:
            told = None
        if not isinstance(told, dict):
            raise BridgeAway(f"{self._url} answered {reply.status_code} and no JSON object; is it a bridge?")
        if reply.is_error:
            raise Refused(str(told.get("error", f"the bridge answered {reply.status_code}")), reply.status_code)
        return told

"""What a failed request means and what helps against it.

The table follows Chutes, whose errors are ``{"detail": ...}`` with a text or an object, and reads OpenAI's
``{"error": {"message": ...}}`` and plain text as well::

    400 413 422   ask otherwise: another form of the same request; else it is refused
    401 403 3xx   stop: the key or the address is wrong
    402           the quota is used up until a time it tells, or the account is empty
    404           another model: this one is gone
    408 409 425   wait
    429           overload of a model: another model; else wait as long as it asks
    500           wait once, then another model
    502 503 504   another model: this one is cold or its proxy gave up
    520 to 530
"""

from __future__ import annotations

import datetime
import email.utils
import json
import math
import time
from collections.abc import Mapping
from typing import Literal

Cure = Literal["wait", "switch", "otherwise", "quota", "stop"]
_OVERLOADS = ("infra_overload", "no_targets", "maintenance", "no instances")
_LONGEST_TEXT = 300
_KEY_REMEDY = "set SYNTHCITY_LLM_API_KEY, or for Chutes CHUTES_API_KEY, to a key that may do this"


class Trouble(Exception):
    """One request that failed; stays inside the client.

    Attributes:
        text: what happened, one line, from the server where it said something.
        cure: what helps.
        status: HTTP status; 0 where there was no answer.
        wait_seconds: how long the server asks to wait.
        reset: unix second at which a used-up quota is filled again.
        maybe_billed: whether the request may have to be paid although nothing usable came of it.
    """

    def __init__(
        self,
        text: str,
        cure: Cure,
        *,
        status: int = 0,
        wait_seconds: float | None = None,
        reset: float | None = None,
        maybe_billed: bool = False,
    ) -> None:
        super().__init__(text)
        self.text, self.cure, self.status = text, cure, status
        self.wait_seconds, self.reset, self.maybe_billed = wait_seconds, reset, maybe_billed


def diagnose(status: int, body: object, headers: Mapping[str, str]) -> Trouble:
    """Say what an HTTP error means; ``body`` is decoded JSON or text."""
    detail = _detail(body)
    said = _one_line(detail)
    text = f"HTTP {status}: {said}" if said else f"HTTP {status}"
    wait = _seconds(headers.get("retry-after"), headers.get("date"))
    if 300 <= status < 400:
        return Trouble(f"{text} (it redirects; set SYNTHCITY_LLM_BASE_URL to where it leads)", "stop", status=status)
    if status == 402:
        return Trouble(text, "quota", status=status, reset=_reset(detail))
    if status in (401, 403):
        return Trouble(f"{text} ({_KEY_REMEDY})", "stop", status=status)
    if status == 404:
        return Trouble(text, "switch", status=status)
    if status == 429:
        overloaded = any(word in said.lower() for word in _OVERLOADS)
        return Trouble(text, "switch" if overloaded and wait is None else "wait", status=status, wait_seconds=wait)
    if status in (408, 409, 425, 500):
        return Trouble(text, "wait", status=status, wait_seconds=wait)
    if status > 500:
        return Trouble(text, "switch", status=status, wait_seconds=wait)
    return Trouble(text, "otherwise", status=status)


def error_in(data: object) -> Trouble | None:
    """Return what an answer of status 200 says went wrong instead of answering; None where it has a choice.

    Proxies that have sent their headers can say so in no other way: ``{"error": {"code": 429, "message": ...}}``, the
    same within a choice, or a code and a message alone. Whether it is billed is told by its ``usage`` alone.
    """
    if not isinstance(data, dict):
        return None
    choices = data.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    failed = choice if isinstance(choice, dict) and choice.get("error") else data
    is_error = bool(failed.get("error")) or data.get("object") == "error" or (not choices and "detail" in data)
    if not is_error or (failed is data and choices):
        return None
    inner = failed.get("error")
    codes = [part.get(name) for part in (inner, failed) if isinstance(part, dict) for name in ("code", "status")]
    status = next((code for code in codes if isinstance(code, int) and 400 <= code < 600), 500)
    trouble = diagnose(status, failed, {})
    trouble.maybe_billed = "usage" in data
    return trouble


def _detail(body: object) -> object:
    if isinstance(body, dict):
        for name in ("detail", "error", "message"):
            if body.get(name):
                return _detail(body[name]) if name == "error" else body[name]
    return body


def _one_line(detail: object) -> str:
    if isinstance(detail, dict) and isinstance(detail.get("message"), str):
        length = detail.get("n_ctx")  # llama.cpp tells its limit beside the message
        detail = detail["message"] + (f" (n_ctx {length})" if isinstance(length, int) else "")
    text = detail if isinstance(detail, str) else "" if detail is None else json.dumps(detail, default=str)
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_TEXT else text[:_LONGEST_TEXT] + "..."


def _seconds(header: str | None, now: str | None = None) -> float | None:
    """Read ``Retry-After``: seconds, or a date (RFC 9110, 10.2.3) held against the server's own ``Date``."""
    try:
        seconds = float(header or "")
    except ValueError:
        until, then = _http_date(header), _http_date(now)
        if until is None:
            return None  # nothing, or nonsense: our own pause does
        seconds = max(until - (time.time() if then is None else then), 0.0)
    return seconds if 0 <= seconds < 1e9 else None


def _http_date(text: str | None) -> float | None:
    try:
        found = email.utils.parsedate_to_datetime(text or "").timestamp()
    except (TypeError, ValueError, OverflowError, IndexError):
        return None
    return found if math.isfinite(found) else None


def _reset(detail: object) -> float | None:
    stamp = detail.get("quota_reset_timestamp") if isinstance(detail, dict) else None
    try:
        time = datetime.datetime.fromisoformat(stamp) if isinstance(stamp, str) else None
    except ValueError:
        return None
    if time is None:
        return None
    return (time if time.tzinfo else time.replace(tzinfo=datetime.UTC)).timestamp()

"""Policies of stand-ins, which load them in a process of their own."""

from __future__ import annotations

from typing import Any


def echo(body: dict[str, Any], index: int) -> dict[str, Any]:
    """Say what was said."""
    return {"content": f"{index}: {body['messages'][-1]['content']}"}

"""JSON as the standard has it: Python's reader takes NaN, Infinity and 1e999, and a tower of brackets overflows it."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn


def loads(text: str | bytes, *, lenient: bool = False) -> Any:
    """Decode JSON.

    Args:
        text: what was written.
        lenient: take raw line breaks and tabs within texts.

    Raises:
        ValueError: it is none, holds a number that is not finite, or is nested too deeply.

    Example:
        >>> loads('{"a": 1.5}')
        {'a': 1.5}
    """
    try:
        return json.loads(text, parse_constant=_refuse, parse_float=_finite, strict=not lenient)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def decoder() -> json.JSONDecoder:
    """Return a decoder of the same numbers, lenient, for JSON within other text."""
    return json.JSONDecoder(parse_constant=_refuse, parse_float=_finite, strict=False)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON number")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:20]} is no finite number")
    return value

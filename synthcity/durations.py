"""Lengths of time: as people write them (``90s``, ``97min``, ``11h``, ``2d``, ``1w``, ``1h30m``), and in seconds."""

from __future__ import annotations

import math
import re
from decimal import Decimal

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WEEK = 7 * DAY
LONGEST = 100 * 365 * DAY  # nothing that is set here lasts a century; whoever writes more has mistyped

_NUMBER = r"([0-9]+(?:\.[0-9]+)?)\s*"
_UNITS = (("w", WEEK), ("d", DAY), ("h", HOUR), ("m(?:in)?", MINUTE), ("s", 1))
_FORM = re.compile(r"\s*".join(f"(?:{_NUMBER}{unit})?" for unit, _ in _UNITS))


def parse_duration(value: object) -> float:
    """Return the seconds of a duration with its units, from weeks down to seconds, each at most once.

    A bare number is refused, since it does not say of what.

    Raises:
        ValueError: it is none; the text completes "it must be".
    """
    number = isinstance(value, int | float) and not isinstance(value, bool)
    text = format(value, ".12g") if number else str(value).strip()
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", text):
        raise ValueError(f"a duration with its unit, such as {text}s, {text}min or {text}h")
    found = _FORM.fullmatch(text)
    parts = found.groups() if found else ()
    seconds = sum(float(part) * unit for part, (_, unit) in zip(parts, _UNITS, strict=bool(parts)) if part is not None)
    if not 0 < seconds < math.inf:
        raise ValueError("a positive duration such as 90s, 97min, 11h, 2d, 1w or 1h30m")
    if seconds > LONGEST:
        raise ValueError("a duration of 100 years at most")
    return seconds


def write_duration(seconds: float) -> str:
    """Write ``seconds`` so that :func:`parse_duration` reads the same number: ``11h``, ``1h30m``, ``0.5s``."""
    if seconds != int(seconds):
        return f"{Decimal(repr(seconds)):f}s"
    rest, parts = int(seconds), []
    for unit, length in (("d", DAY), ("h", HOUR), ("m", MINUTE), ("s", 1)):
        count, rest = divmod(rest, length)
        parts += [f"{count}{unit}"] if count else []
    return "".join(parts) or "0s"

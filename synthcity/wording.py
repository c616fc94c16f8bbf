"""Figures as people read them, the same on the screen, on the page and in every table.

A score is in basis points, lower is better. Whatever is compared with another one has a lead over it, told in percent
of the other's score, 100 (score - other) / other, so a minus is better everywhere: "lead over fhs: −0.62 %".
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import UTC, datetime

SIGN = "minus is better"
UNKNOWN = "too few days for an interval"


def duration(seconds: float) -> str:
    """Seconds as "45 s", "12:05" or "3:07:09"."""
    whole = round(seconds)
    hours, minutes = whole // 3600, whole % 3600 // 60
    if hours:
        return f"{hours}:{minutes:02d}:{whole % 60:02d}"
    return f"{minutes}:{whole % 60:02d}" if minutes else f"{whole} s"


def moment(seconds: float | None) -> str:
    """Unix seconds as "2026-11-27 23:15 UTC", "-" where there are none."""
    return "-" if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def unbroken(text: str) -> str:
    """A number keeps its percent sign when a line is full."""
    return text.replace(" %", "\N{NO-BREAK SPACE}%")


def percent(value: float | None, digits: int = 2) -> str:
    """A signed percentage with a true minus sign, "-" where there is none."""
    if value is None:
        return "-"
    text = f"{value:+.{digits}f} %"
    return text.replace("-", "\N{MINUS SIGN}")


def lead_over(other: str) -> str:
    """The title of a column of leads, which says their sign."""
    return f"lead over {other} ({SIGN})"


def bounds(low: float | None, high: float | None) -> str:
    """The bounds of a lead, as in "−0.82 to −0.42 %"; a sentence where they are unknown: None or not finite."""
    if low is None or high is None or not (math.isfinite(low) and math.isfinite(high)):
        return UNKNOWN
    return f"{percent(low).removesuffix(' %')} to {percent(high)}"


def between(low: float | None, high: float | None) -> str:
    """The same with its name, as in "95 % interval −0.82 to −0.42 %"."""
    told = bounds(low, high)
    return told if told == UNKNOWN else f"95 % interval {told}"


def chain(blocks: Iterable[str], head: str) -> str:
    """A network in one word, by its components, e.g. ``transformer+lstm>gbm``; ``none`` stands for no block."""
    return f"{'+'.join(blocks) or 'none'}>{head}"

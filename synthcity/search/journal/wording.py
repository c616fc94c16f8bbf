"""Figures as people read them, the same on the screen and on the page.

A score is in basis points, lower is better. Whatever is compared with another one is told in percent of the other,
100 (score - other) / other, so a minus is better everywhere: "−0.62 % against fhs".
"""

from __future__ import annotations

SIGN = "minus is better"


def duration(seconds: float) -> str:
    """Seconds as "45 s", "12:05" or "3:07:09"."""
    whole = round(seconds)
    hours, minutes = whole // 3600, whole % 3600 // 60
    if hours:
        return f"{hours}:{minutes:02d}:{whole % 60:02d}"
    return f"{minutes}:{whole % 60:02d}" if minutes else f"{whole} s"


def percent(value: float | None, digits: int = 2) -> str:
    """A signed percentage with a true minus sign, "-" where there is none."""
    if value is None:
        return "-"
    text = f"{value:+.{digits}f} %"
    return text.replace("-", "\N{MINUS SIGN}")


def between(low: float | None, high: float | None) -> str:
    """An interval of a difference, as in "95 % interval −0.82 % to −0.42 %"."""
    if low is None or high is None:
        return "too few days for an interval"
    return f"95 % interval {percent(low)} to {percent(high)}"

"""Tables for a model: bounded, and what was cut is named."""

from __future__ import annotations

from collections.abc import Sequence

MAX_ROWS = 40
_NAMED = 60


def bounded(header: str, rows: Sequence[tuple[str, str]], most: int = MAX_ROWS) -> str:
    """Return ``rows`` (name, text) under a header, ``most`` of them; the names of the others follow in one line."""
    lines = [header, *(f"{name}\t{text}" for name, text in rows[:most])]
    cut = [name for name, _ in rows[most:]]
    if cut:
        more = f", and {len(cut) - _NAMED} more" if len(cut) > _NAMED else ""
        lines.append(f"[left out, in the same order: {', '.join(cut[:_NAMED])}{more}]")
    return "\n".join(lines)

"""Sentences of ours as they stand on a page."""

from __future__ import annotations

from markupsafe import Markup


def coded(text: str) -> Markup:
    """Draw what stands between backticks as what is to be typed; all of it is escaped."""
    parts = text.split("`")
    return Markup("").join(Markup("<code>{}</code>").format(part) if at % 2 else part for at, part in enumerate(parts))

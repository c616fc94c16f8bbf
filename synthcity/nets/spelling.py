"""How a network is written in one word; apart from ``config``, so that tables need no torch."""

from __future__ import annotations

from collections.abc import Iterable


def chain(blocks: Iterable[str], head: str) -> str:
    """Spell a network by its components, e.g. ``transformer+lstm>gbm``; ``none`` stands for no block."""
    return f"{'+'.join(blocks) or 'none'}>{head}"

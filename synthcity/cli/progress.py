"""How far a long command is: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

TOLD_EVERY_SECONDS = 10.0


@contextmanager
def progress(
    title: str, unit: str = "prompts", scale: float = 1.0, digits: int = 0
) -> Iterator[Callable[[int, int], None]]:
    """Yield what is to be told how much is done, and of how much; it tells it on stderr, since stdout is the answer.

    Args:
        title: of the whole.
        unit: what is counted, ``scale`` of it being one unit.
        scale: what one unit has.
        digits: decimals that are shown.
    """
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import Progress

        with Progress(console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task(title, total=None)
            yield lambda done, of: bar.update(task, completed=done, total=of)
        return
    begin = told_at = time.monotonic()

    def tell(done: int, of: int) -> None:
        from synthcity.market.times import format_duration

        nonlocal told_at
        now = time.monotonic()
        if 0 < done < of and now - told_at >= TOLD_EVERY_SECONDS:
            told_at, left = now, format_duration(round((now - begin) / done * (of - done)))
            amounts = f"{done / scale:,.{digits}f} of {of / scale:,.{digits}f} {unit}"
            click.echo(f"  {title}: {amounts}, {left} left", err=True)

    yield tell

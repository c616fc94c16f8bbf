"""A table for people: drawn on a terminal, plain aligned lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence

import click


def print_table(
    names: Sequence[str], rows: Sequence[Sequence[str]], right: Collection[str] = (), *, err: bool = False
) -> None:
    """Print rows of text under column ``names``; columns in ``right`` are aligned to the right; ``err``: to stderr."""
    if (sys.stderr if err else sys.stdout).isatty():
        _draw(names, rows, right, err)
        return
    widths = [max(map(len, column)) for column in zip(names, *rows, strict=True)]
    for row in (names, *rows):
        cells = (
            cell.rjust(width) if name in right else cell.ljust(width)
            for name, cell, width in zip(names, row, widths, strict=True)
        )
        click.echo("  ".join(cells).rstrip(), err=err)


def _draw(names: Sequence[str], rows: Sequence[Sequence[str]], right: Collection[str], err: bool) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for name, *cells in zip(names, *rows, strict=True):
        longest_word = max(len(word) for text in (name, *cells) for word in text.split())
        # a narrow terminal folds cells between words, never inside one
        table.add_column(name, justify="right" if name in right else "left", min_width=longest_word)
    for row in rows:
        table.add_row(*map(Text, row))  # no markup: a cell may hold brackets
    Console(stderr=err).print(table)

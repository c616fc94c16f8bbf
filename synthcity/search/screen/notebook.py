"""The live view in a cell of a notebook: the same picture as HTML, kept up to date by a thread."""

from __future__ import annotations

import io
import sys
import threading
from collections.abc import Callable
from typing import Any

from rich.console import Console, RenderableType

_SECONDS = 0.5  # between two pictures
_WIDTH = 110
_FORM = (
    "<pre style=\"font-family:Menlo,'DejaVu Sans Mono',Consolas,monospace;line-height:1.2\"><code>{code}</code></pre>"
)


def in_notebook() -> bool:
    """Whether this process is a kernel with a notebook in front of it; IPython is not imported to find out."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return type(shell).__name__ == "ZMQInteractiveShell"


class Cell:
    """The output of the running cell, which shows what ``render`` returns."""

    def __init__(self, render: Callable[[], RenderableType]) -> None:
        self._render = render
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="synthcity-cell", daemon=True)
        self._handle: Any = None  # IPython tells no types

    def start(self) -> None:
        """Show the first picture, and go on."""
        from IPython.display import display

        self._handle = display(self._html(), display_id=True)
        self._thread.start()

    def stop(self) -> None:
        """Leave the last picture."""
        self._over.set()
        self._thread.join()
        self._handle.update(self._html())

    def _run(self) -> None:
        while not self._over.wait(_SECONDS):
            self._handle.update(self._html())

    def _html(self) -> Any:
        from IPython.display import HTML

        console = Console(file=io.StringIO(), record=True, width=_WIDTH, force_jupyter=False)
        console.print(self._render())
        return HTML(console.export_html(inline_styles=True, code_format=_FORM))

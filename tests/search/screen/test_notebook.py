"""The live view in a notebook, with a stand-in for IPython, and once in a real kernel."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from rich.console import Console

from synthcity.search.journal.history import TrialHistory
from synthcity.search.screen.display import LiveDisplay, shown
from synthcity.search.screen.notebook import in_notebook
from tests.search.sample_run import journal

ROOT = Path(__file__).parents[3]


class Handle:
    def __init__(self, first: str) -> None:
        self.pictures = [first]

    def update(self, html: str) -> None:
        self.pictures.append(html)


class ZMQInteractiveShell:
    pass


@pytest.fixture
def handles(monkeypatch: pytest.MonkeyPatch) -> list[Handle]:
    made: list[Handle] = []
    ipython: Any = ModuleType("IPython")
    shown_by: Any = ModuleType("IPython.display")

    def display(html: str, *, display_id: bool) -> Handle:
        assert display_id
        made.append(Handle(html))
        return made[-1]

    ipython.get_ipython = ZMQInteractiveShell
    shown_by.display, shown_by.HTML = display, str
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", shown_by)
    return made


def test_a_call_in_a_notebook_shows_the_table_and_leaves_its_last_state(handles: list[Handle]) -> None:
    with shown(None) as display:
        assert isinstance(display, LiveDisplay)
        display.begin(TrialHistory.replay(journal(4)))
    (handle,) = handles
    assert "starts" in handle.pictures[0]
    assert "c0003" in handle.pictures[-1]
    assert handle.pictures[-1].startswith("<pre")


def test_a_call_elsewhere_shows_nothing_and_what_was_given_is_used() -> None:
    assert not in_notebook()
    with shown(None) as display:
        assert display is None
    given = LiveDisplay(Console(file=io.StringIO()))
    with shown(given) as display:
        assert display is given


CELL = """
from synthcity.search.journal.history import TrialHistory
from synthcity.search.screen.display import shown
from tests.search.sample_run import journal
with shown(None) as display:
    display.begin(TrialHistory.replay(journal(4)))
"""


@pytest.mark.slow
def test_a_real_notebook_shows_one_picture_that_is_replaced_in_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name))
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL)])
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(ROOT)}}).execute()
    (picture,) = [one for one in notebook.cells[0].outputs if one.output_type == "display_data"]  # libraries may talk
    assert "c0003" in picture.data["text/html"]

"""The live view in a notebook, with a stand-in for IPython."""

from __future__ import annotations

import io
import sys
from types import ModuleType
from typing import Any

import pytest
from rich.console import Console

from synthcity.search.journal.history import TrialHistory
from synthcity.search.screen.display import LiveDisplay, shown
from synthcity.search.screen.notebook import in_notebook
from tests.search.sample_run import journal


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

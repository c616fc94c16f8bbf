"""What the end of a connection means for a machine, with pipes in place of ssh and a clock that is moved by hand."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import cast

import pytest

from synthcity.cluster.folder import Folder
from synthcity.cluster.joining import tunnel
from synthcity.cluster.joining.tunnel import _Link
from synthcity.cluster.notes import Notes
from synthcity.cluster.plan import Plan
from tests.cluster.joining.test_ssh import MACHINE


@dataclass
class Line:
    """A link to a machine, what the machine writes to, and the time."""

    link: _Link
    made: Callable[[bool], _Link]
    child: SimpleNamespace
    there: int
    now: float = 0.0
    quiet: int = 0  # seconds for which nothing is said after the first words
    is_heard: bool = False

    def select(self, *_: object) -> tuple[bool]:
        self.now += 1
        if not self.is_heard:
            self.is_heard = True
        elif self.quiet:
            self.quiet -= 1
            return (False,)
        else:
            with suppress(OSError):  # it has closed already
                os.close(self.there)
        return (True,)

    def says(self, *words: bytes) -> None:
        for word in words:
            os.write(self.there, word)

    def listens(self) -> None:
        """Hear what was said, and nothing for as long as it is quiet, until the machine's end closes."""
        self.link._listen(cast(subprocess.Popen[bytes], self.child), is_tunnel=True)


@pytest.fixture
def line(folder: Folder, plan: Plan, monkeypatch: pytest.MonkeyPatch) -> Iterator[Line]:
    def made(joined: bool = False) -> _Link:
        return _Link(replace(MACHINE, joined=joined), folder, plan, [], Notes(folder))

    here, there = os.pipe()
    with open(os.devnull, "wb") as stdin, open(here, "rb") as stdout:
        child = SimpleNamespace(stdin=stdin, stdout=stdout, wait=lambda: 255)
        found = Line(made(), made, child, there)
        monkeypatch.setattr(tunnel, "time", SimpleNamespace(monotonic=lambda: found.now))
        monkeypatch.setattr(tunnel, "select", SimpleNamespace(select=found.select))
        yield found
        with suppress(OSError):
            os.close(there)


def said(kind: str, text: str) -> bytes:
    return json.dumps({"kind": kind, "text": text}).encode() + b"\n"


def test_a_connection_that_breaks_after_a_long_silence_ends_no_machine(line: Line) -> None:
    line.quiet = 1000
    line.says(said("joined", "is a node"))
    line.listens()
    line.link._judge(255, "Connection reset by peer")
    assert line.link.failure == ""
    line.now += 301
    line.link._judge(255, "Connection refused")
    assert "has not answered for 300 seconds" in line.link.failure


def test_what_was_a_node_before_is_given_up_when_it_does_not_answer_and_what_boots_is_waited_for(line: Line) -> None:
    known, new = line.made(True), line.made(False)
    line.now += 301
    for link in (known, new):
        link._judge(255, "No route to host")
    assert "has not answered for 300 seconds" in known.failure
    assert new.failure == ""

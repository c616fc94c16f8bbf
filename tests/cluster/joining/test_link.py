"""What the end of a connection means for a machine, with pipes in place of ssh and a clock that is moved by hand."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import cast

import pytest

from synthcity.cluster import notes as notes_module
from synthcity.cluster.folder import Folder
from synthcity.cluster.joining import link as links
from synthcity.cluster.joining.link import Link
from synthcity.cluster.notes import Notes, notes
from synthcity.cluster.plan import Plan
from tests.cluster.joining.test_ssh import MACHINE


@dataclass
class Line:
    """A link to a machine, what the machine writes to, and the time."""

    link: Link
    made: Callable[[bool], Link]
    child: SimpleNamespace
    there: int
    now: float = 0.0
    quiet: int = 0  # seconds for which nothing is said after the first words
    is_heard: bool = False
    errors: bytes = b""  # of ssh and what it runs

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

    def says(self, words: bytes) -> None:
        os.write(self.there, words)

    def listens(self) -> None:
        """Hear what was said, and nothing for as long as it is quiet, until the machine's end closes."""
        with tempfile.TemporaryFile() as errors:
            errors.write(self.errors)
            errors.flush()
            self.link._listen(cast(subprocess.Popen[bytes], self.child), errors, is_tunnel=True)


@pytest.fixture
def line(folder: Folder, plan: Plan, monkeypatch: pytest.MonkeyPatch) -> Iterator[Line]:
    def made(joined: bool = False) -> Link:
        return Link(replace(MACHINE, joined=joined), folder, plan, [], Notes(folder))

    here, there = os.pipe()
    with open(os.devnull, "wb") as stdin, open(here, "rb") as stdout:
        child = SimpleNamespace(stdin=stdin, stdout=stdout, wait=lambda: 255)
        found = Line(made(), made, child, there)
        monkeypatch.setattr(links, "time", SimpleNamespace(monotonic=lambda: found.now))
        monkeypatch.setattr(links, "select", SimpleNamespace(select=found.select))
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


def test_what_a_machine_says_reaches_neither_terminal_nor_log_but_as_plain_text(line: Line, folder: Folder) -> None:
    line.says(said("state", "installs \x1b[2J\r\nroot# \u202e" + "x" * 10_000) + said("over", "ends \x1b]0;owned\x07"))
    line.listens()
    assert line.link.failure == "machine tests-cpu-1: ends  ]0;owned "
    line.link._judge(255, "")
    told = line.made(False)
    told._judge(255, "first\nssh: \x1b[31mred")
    (note,) = notes(folder.path)
    assert note.text == "tried again: ssh:  [31mred"
    lines = (folder.path / "nodes.log").read_text().splitlines()
    assert all(one.isprintable() and len(one) < 600 for one in lines)


@pytest.mark.parametrize("words", [b"no JSON", b"[]", b'{"kind": "over"}', b"\xff", b"[" * 50_000])
def test_what_no_node_says_ends_a_machine_in_a_sentence(line: Line, words: bytes) -> None:
    line.says(words + b"\n")
    line.listens()
    assert line.link.failure == "machine tests-cpu-1: what it says is nothing that a node says"


def test_a_machine_that_says_without_end_is_heard_no_more(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "select", SimpleNamespace(select=lambda *_: (True,)))
    endless = SimpleNamespace(read=lambda *_: b"x" * 65_536, write=os.write, fstat=os.fstat)  # a line that never ends
    monkeypatch.setattr(links, "os", endless)
    line.listens()
    assert line.link.failure == "machine tests-cpu-1: it said more than 1 MiB, which no node does"


def test_errors_without_end_are_too_much_as_well(line: Line) -> None:
    line.errors = b"x" * ((1 << 20) + 1)
    line.listens()
    assert "more than 1 MiB" in line.link.failure


def test_a_full_disk_here_ends_no_machine(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(notes_module, "atomic_write", full)
    line.says(said("joined", "is a node"))
    line.listens()
    assert line.link.failure == ""
    line.link._is_sent = True
    monkeypatch.setattr(links.tempfile, "TemporaryFile", full)
    monkeypatch.setattr(line.link, "_judge", lambda *_: line.link.part(for_good=False))  # the next thing that happens
    line.link.run()
    assert line.link.failure == ""

"""Nonces on disk: what was taken once is refused, by every replica and after every restart."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from synthcity.errors import RunError
from synthcity.serve.admission import nonces as module
from synthcity.serve.admission.nonces import KEPT_NS, Nonces

NOW = 1_763_640_000 * 10**9
Open = Callable[[], Nonces]


@pytest.fixture
def open_nonces(tmp_path: Path) -> Iterator[Open]:
    opened: list[Nonces] = []

    def make() -> Nonces:
        opened.append(Nonces(tmp_path / "state" / "nonces.sqlite"))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


class Full:
    """A connection whose disk is full: it can be read alone."""

    def __init__(self, inner: sqlite3.Connection, *, readable: bool = True) -> None:
        self._inner, self._readable = inner, readable

    def execute(self, text: str, values: tuple[object, ...] = ()) -> sqlite3.Cursor:
        if not self._readable or not text.startswith("SELECT"):
            raise sqlite3.OperationalError("database or disk is full")
        return self._inner.execute(text, values)

    def close(self) -> None:
        self._inner.close()


def test_a_nonce_is_taken_once_and_only_above_the_last_of_its_caller_and_uuid(open_nonces: Open) -> None:
    one = open_nonces()
    assert [one.raise_to("a", "u", n) for n in (NOW, NOW, NOW - 1, NOW + 1)] == [True, False, False, True]
    assert one.raise_to("a", "v", NOW)
    assert one.raise_to("b", "u", NOW)


def test_a_replica_sees_what_another_took_and_whether_it_has_answered(open_nonces: Open) -> None:
    one, other = open_nonces(), open_nonces()
    assert one.raise_to("a", "u", NOW)
    assert not other.raise_to("a", "u", NOW)
    assert other.is_held_elsewhere("a", "u", NOW)
    assert not one.is_held_elsewhere("a", "u", NOW)
    assert not other.is_held_elsewhere("a", "u", NOW + 1)
    one.spend("a", "u", NOW)
    assert not other.is_held_elsewhere("a", "u", NOW)
    assert not other.raise_to("a", "u", NOW)


def test_what_a_killed_replica_held_may_be_taken_again_once(open_nonces: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other, third = open_nonces(), open_nonces(), open_nonces()
    assert one.raise_to("a", "held", NOW)
    assert one.raise_to("a", "answered", NOW)
    one.spend("a", "answered", NOW)
    dead = one._presence.name
    monkeypatch.setattr(module, "is_present", lambda folder, name: name != dead)
    assert other.raise_to("a", "held", NOW)
    assert not third.raise_to("a", "held", NOW)
    assert not other.raise_to("a", "answered", NOW)


def test_who_ends_in_order_has_answered(open_nonces: Open, tmp_path: Path) -> None:
    one = Nonces(tmp_path / "state" / "nonces.sqlite")
    assert one.raise_to("a", "u", NOW)
    one.close()
    later = open_nonces()
    assert not later.is_held_elsewhere("a", "u", NOW)
    assert not later.raise_to("a", "u", NOW)


def test_old_nonces_are_dropped(open_nonces: Open) -> None:
    one = open_nonces()
    assert one.raise_to("a", "u", NOW)
    assert one.raise_to("b", "w", NOW + KEPT_NS + 1)
    kept = one._file.execute("SELECT caller FROM taken").fetchall()
    assert kept == [("b",)]


def test_while_the_disk_refuses_memory_remembers_and_says_so(open_nonces: Open) -> None:
    one = open_nonces()
    assert one.raise_to("a", "u", NOW)
    whole, one._file = one._file, Full(one._file)  # type: ignore[assignment]
    assert one.problem is None
    assert not one.raise_to("a", "u", NOW), "what the disk knows still counts"
    assert [one.raise_to("a", "u", NOW + n) for n in (1, 1, 2)] == [True, False, True]
    assert one.problem is not None
    assert "refuses nonces (database or disk is full); they are remembered in memory" in one.problem
    one._file = whole
    assert not one.raise_to("a", "u", NOW + 2), "and what memory knows when the disk is back"
    assert one.raise_to("a", "u", NOW + 3)
    assert one.problem is None


def test_who_cannot_even_read_admits_nobody(open_nonces: Open) -> None:
    one = open_nonces()
    whole, one._file = one._file, Full(one._file, readable=False)  # type: ignore[assignment]
    with pytest.raises(RunError, match="cannot remember a nonce"):
        one.raise_to("a", "u", NOW)
    assert not one.is_held_elsewhere("a", "u", NOW)
    one._file = whole


def test_a_file_that_is_none_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "nonces.sqlite").write_text("no database, but long enough to be read as one" * 50)
    with pytest.raises(RunError, match=r"cannot keep nonces in .*; choose another folder, or remove it"):
        Nonces(tmp_path / "nonces.sqlite")

"""A failure: its one line, what makes it the same as another, and the parts that it names."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from synthcity.nets.registry import component
from synthcity.search.debugger.failure import Failure, parts
from tests.search.builders import config

NET = config(blocks=[{"name": "gru"}, {"name": "tcn"}], head={"name": "sde"})


def frame(file: str, line: int = 10, function: str = "forward") -> str:
    return f'  File "{file}", line {line}, in {function}\n    x = y\n'


def file_of(kind: str, name: str) -> str:
    return str(inspect.getsourcefile(component(kind, name).cls))


@pytest.mark.parametrize("data", [None, {}, {"class": None, "message": None, "traceback": None}])
def test_a_record_that_tells_nothing_is_an_unknown_failure(data: dict[str, Any] | None) -> None:
    assert Failure.of(data) == Failure(kind="unknown", message="", traceback="")


def test_colours_of_a_terminal_are_taken_out_and_the_text_is_one_line() -> None:
    found = Failure.of({"class": "ValueError", "message": "\x1b[31mno\x1b[0m\n  way", "traceback": "\x1b[1mT\x1b[0m"})
    assert found.text == "ValueError: no way"
    assert found.traceback == "T"


def test_numbers_lines_and_folders_do_not_make_another_failure() -> None:
    one = Failure(kind="E", message="size 12 at 0x7f and 1.5e-3", traceback=frame("/a/gru.py", 10))
    other = Failure(kind="E", message="size 9 at 0x80 and 2", traceback=frame("/b/gru.py", 11))
    assert one.fingerprint == other.fingerprint
    assert len(one.fingerprint) == 12


@pytest.mark.parametrize(
    "other",
    [
        Failure(kind="F", message="size 12", traceback=frame("gru.py")),
        Failure(kind="E", message="length 12", traceback=frame("gru.py")),
        Failure(kind="E", message="size 12", traceback=frame("tcn.py")),
        Failure(kind="E", message="size 12", traceback=frame("gru.py", function="mix")),
    ],
)
def test_class_words_file_and_function_do(other: Failure) -> None:
    one = Failure(kind="E", message="size 12", traceback=frame("gru.py"))
    assert one.fingerprint != other.fingerprint


def test_who_called_does_not_matter() -> None:
    inner = frame("a.py") + frame("b.py") + frame("c.py")
    one, other = (Failure(kind="E", message="", traceback=frame(outer) + inner) for outer in ("x.py", "y.py"))
    assert one.fingerprint == other.fingerprint


def test_parts_are_the_blocks_by_number_then_the_head() -> None:
    assert parts(NET) == [("blocks.0", "block", "gru"), ("blocks.1", "block", "tcn"), ("head", "head", "sde")]


def test_the_innermost_part_is_to_blame_first_and_a_name_in_the_message_most() -> None:
    trace = frame("/x/training.py") + frame(file_of("head", "sde")) + frame(file_of("block", "tcn"))
    assert Failure(kind="E", message="no", traceback=trace).culprits(NET) == ["blocks.1", "head"]
    named = Failure(kind="E", message="GRUBlock cannot", traceback=trace)
    assert named.culprits(NET) == ["blocks.0", "blocks.1", "head"]
    assert Failure(kind="E", message="no", traceback=frame("/x/training.py")).culprits(NET) == []


def test_a_traceback_is_cut_to_its_end_and_to_short_paths() -> None:
    long = Failure(
        kind="E", message="no", traceback="".join(frame("/very/long/way/nets/blocks/gru.py") for _ in range(40))
    )
    lines = long.trimmed.splitlines()
    assert lines[0] == "E: no"
    assert len(lines) == 31
    assert 'File "nets/blocks/gru.py", line 10, in forward' in long.trimmed
    assert "/very/long" not in long.trimmed

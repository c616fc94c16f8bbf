from __future__ import annotations

from pathlib import Path

import pytest

from synthcity.errors import RunError
from synthcity.lines import read_all
from synthcity.research.bench import Bench
from synthcity.research.labbook import NAME, Decided, LabBook, Look, Noted, Origin, Tried, finite
from synthcity.research.measuring.trial import Judge
from tests.research.conftest import FOLDS, Wave, examiner_of


def test_everything_is_on_the_disk_in_its_order_refusals_too(still: Judge, tmp_path: Path) -> None:
    with LabBook(tmp_path) as book:
        bench = Bench("control", examiner_of(still), FOLDS, book)
        book.add(Look(arm="control", round=1, what="residuals by hour"))
        assert not bench.test(Wave(), Origin(recipe={"kind": "wave"}), round=1, hypothesis="a cycle").promising
        assert "future" in bench.test(Wave(name="seer", foresight=True), Origin(source="text"), round=2).refused
        book.add(Decided(arm="control", round=2, name="seer", decision="drop", reason="it reads the future"))
    events = read_all(tmp_path / NAME)
    assert [event["kind"] for event in events] == ["look", "tried", "tried", "decided"]
    assert events[1]["origin"] == {"recipe": {"kind": "wave"}, "source": None, "forecaster": None}
    assert events[2]["refused"]
    assert [one.name for one in book.of(Tried, "control")] == ["wave", "seer"]
    assert book.of(Tried, "model") == []
    assert [found.entry.name for found in bench.found] == ["wave"]


def test_a_book_has_one_writer(tmp_path: Path) -> None:
    with LabBook(tmp_path), pytest.raises(RunError, match="another process writes"):
        LabBook(tmp_path)


def test_a_folder_that_holds_a_book_gets_no_second_one(tmp_path: Path) -> None:
    with LabBook(tmp_path) as book:
        book.add(Look(arm="control", round=1, what="residuals by hour"))
    before = (tmp_path / NAME).read_bytes()
    with pytest.raises(RunError, match="already holds a research; choose another name"):
        LabBook(tmp_path)
    assert (tmp_path / NAME).read_bytes() == before


def test_no_interval_is_no_number() -> None:
    assert finite(float("inf")) is None
    assert finite(-0.5) == -0.5


def test_a_book_that_goes_on_writes_nothing_twice_and_loses_nothing(tmp_path: Path) -> None:
    look, note = Look(arm="control", round=1, what="residuals by hour"), Noted(text="one was left out")
    with LabBook(tmp_path) as book:
        book.add(note), book.add(look), book.add(look)
    before = (tmp_path / NAME).read_bytes()
    with LabBook(tmp_path, resume=True) as book:
        assert book.entries == []
        assert book.told(Look, round=1) == look
        assert book.told(Look, round=2) is None
        book.add(note), book.add(look)
        assert (tmp_path / NAME).read_bytes() == before
        assert book.take_rest() == 1
        book.add(look)  # a third one, which is new
        assert book.entries == [note, look, look, look]
    assert len(read_all(tmp_path / NAME)) == 4


@pytest.mark.parametrize("line", ['{"kind":"dream"}', '{"kind":"look","arm":3}'])
def test_a_book_of_other_lines_is_refused(tmp_path: Path, line: str) -> None:
    (tmp_path / NAME).write_text(f"{line}\n")
    with pytest.raises(RunError, match="holds a line that is no entry of a lab book"):
        LabBook(tmp_path, resume=True)
    with pytest.raises(RunError, match="already holds"):  # the lock was let go
        LabBook(tmp_path)

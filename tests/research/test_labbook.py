from __future__ import annotations

from pathlib import Path

import pytest

from synthcity.errors import RunError
from synthcity.lines import read_all
from synthcity.research.bench import Bench
from synthcity.research.labbook import NAME, Decided, LabBook, Look, Origin, Tried, finite
from synthcity.research.measuring.trial import Judge
from tests.research.conftest import FOLDS, Wave


def test_everything_is_on_the_disk_in_its_order_refusals_too(still: Judge, tmp_path: Path) -> None:
    with LabBook(tmp_path) as book:
        bench = Bench("control", still, FOLDS, book)
        book.add(Look(arm="control", round=1, what="residuals by hour"))
        assert not bench.test(Wave(), Origin(recipe={"kind": "wave"}), round=1, hypothesis="a cycle").promising
        assert "future" in bench.test(Wave(name="seer", foresight=True), Origin(source="text"), round=2).refused
        book.add(Decided(arm="control", round=2, name="seer", decision="drop", reason="it reads the future"))
    events = read_all(tmp_path / NAME)
    assert [event["kind"] for event in events] == ["look", "tried", "tried", "decided"]
    assert events[1]["origin"] == {"recipe": {"kind": "wave"}, "source": None}
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

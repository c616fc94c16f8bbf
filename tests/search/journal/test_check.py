"""Every event passes one check, when it is written and when it is read."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from synthcity.errors import DataError
from synthcity.search.journal.check import check, kind_of
from synthcity.search.journal.diagnosis import Diagnosis
from synthcity.search.journal.events import Event, OfFinals, RungTold, Winner
from synthcity.search.journal.journal import Journal
from synthcity.search.journal.recorder import Recorder
from tests.search.builders import candidate, tell
from tests.search.sample_run import journal, repair_events

RUNG = {"kind": "rung", "time": 1.0, "id": "c0000", "rung": 1, "num_rungs": 4, "score": 5500.0}


def test_every_kind_of_event_is_described_once() -> None:
    kinds = [kind_of(cls) for cls in get_args(Event)]
    assert len(set(kinds)) == len(kinds)
    assert all(cls.__doc__ for cls in get_args(Event))
    assert set(get_args(OfFinals)) <= set(get_args(Event))
    assert kind_of(Winner) == "winner"


def test_events_come_back_as_they_were_with_fields_that_are_not_described() -> None:
    for event in [*journal(), *repair_events(), *tell(candidate(0), 5500.0)]:
        assert check(event) == event


def test_numbers_become_plain_and_what_json_lacks_becomes_null() -> None:
    told = {"score": np.float64(5500.0), "rung": np.int64(1), "more": (np.float32(1.5), float("nan"))}
    event = check({**RUNG, **told})
    assert event == {**RUNG, "more": [1.5, None]}
    assert type(event["rung"]) is int  # type: ignore[typeddict-item]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"score": float("nan")}, "score of the event 'rung' is 'None': Input should be a valid number"),
        ({"num_rungs": "4"}, "num_rungs of the event 'rung' is '4'"),
        ({"kind": "rang"}, "no event is of the kind 'rang'"),
        ({"kind": None}, "no event is of the kind 'None'"),
    ],
)
def test_what_is_no_event_is_one_sentence(change: dict, sentence: str) -> None:
    with pytest.raises(DataError) as caught:
        check({**RUNG, **change})
    assert str(caught.value).startswith(sentence)
    with pytest.raises(DataError, match="id of the event 'rung' is missing"):
        check({name: value for name, value in RUNG.items() if name != "id"})


def test_an_emitter_that_forgets_a_field_is_told_at_once_and_writes_nothing(tmp_path: Path) -> None:
    with Journal(tmp_path) as lines:
        recorder = Recorder(lines)
        with pytest.raises(ValueError, match="no such event: num_rungs of the event 'rung' is missing"):
            recorder.emit("rung", id="c0000", rung=1, score=1.0)
        assert (recorder.events, recorder.failure) == ([], None)
    assert (tmp_path / "journal.jsonl").read_bytes() == b""


def test_what_is_told_of_a_rung_is_read_by_its_name(tmp_path: Path) -> None:
    with Journal(tmp_path) as lines:
        recorder = Recorder(lines)
        for event in tell(candidate(0), 5500.0, 5400.0):
            recorder.emit(event["kind"], **{k: v for k, v in event.items() if k not in ("kind", "time")})
        assert [rung["score"] for rung in recorder.all(RungTold)] == [5500.0, 5400.0]
        assert recorder.last(Winner) is None


def test_a_diagnosis_is_read_back_from_its_event() -> None:
    found = Diagnosis(
        trial="c0003", fingerprint="0" * 12, cause="nan", action="leave", by="model", reason="no", usd=0.01
    )
    event = check({"kind": "diagnosis", "time": 1.0, **found.to_dict()})
    assert Diagnosis.from_dict(event) == found

"""Checkpoints that a careless disk damaged: an older one, the next best trial, and a sentence either way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from synthcity.errors import BundleError, RunError
from synthcity.market.windows import WindowSpec
from synthcity.nets.state import Meta, dump
from synthcity.search.config import BudgetConfig
from synthcity.search.finals import finalist
from synthcity.search.finals.contenders import Entrants, enter
from synthcity.search.finals.finalist import Finalist
from synthcity.search.finals.timing import FinalsClock
from synthcity.search.journal.events import Contenders, Degraded
from synthcity.search.journal.journal import Journal
from synthcity.search.journal.recorder import Recorder
from synthcity.search.trials.trainable import STATE_FILE
from tests.damage import DAMAGES
from tests.search.builders import candidate, tell

BUDGET = BudgetConfig(finalists=2, final_seeds=1)
META = Meta(
    config={}, competition="", rules="", spec=WindowSpec.of(300, 4), assets=("BTC",), seed=0, step=1, scores=(1.0,)
)


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Recorder]:
    """Of three trials, the best first, with two checkpoints each."""
    with Journal(tmp_path) as journal:
        recorder = Recorder(journal)
        for index in range(3):
            for event in tell(candidate(index), 90.0 + index):
                recorder.emit(event.pop("kind"), **{k: v for k, v in event.items() if k != "time"})
            for rung in range(2):
                path = Path("trials-1", candidate(index).id, f"checkpoint_{rung}")
                state_file = tmp_path / path / STATE_FILE
                state_file.parent.mkdir(parents=True)
                state_file.write_bytes(dump({"best.weight": torch.full((64,), float(10 * index + rung))}, META))
                recorder.emit("checkpoint", id=candidate(index).id, path=str(path))
        yield recorder


def entered(recorder: Recorder, storage: Path) -> Entrants:
    return enter(recorder, str(storage), 1, FinalsClock(recorder, BUDGET), BUDGET)


def notes(recorder: Recorder) -> list[str]:
    return [event["note"] for event in recorder.all(Degraded)]


def state_file(storage: Path, name: str, rung: int) -> Path:
    return storage / "trials-1" / name / f"checkpoint_{rung}" / STATE_FILE


def test_whole_checkpoints_are_taken_and_told(recorder: Recorder, tmp_path: Path) -> None:
    assert list(entered(recorder, tmp_path).networks) == ["c0000", "c0001"]
    (told,) = recorder.all(Contenders)
    assert told.get("checkpoints") == {f"c000{k}": f"trials-1/c000{k}/checkpoint_1" for k in range(2)}
    assert list(entered(recorder, tmp_path).networks) == ["c0000", "c0001"]
    assert len(recorder.all(Contenders)) == 1
    assert notes(recorder) == []


@pytest.mark.parametrize("name", DAMAGES)
def test_an_older_checkpoint_takes_the_place_of_one_that_is_lost(recorder: Recorder, tmp_path: Path, name: str) -> None:
    older = Finalist.from_checkpoint(recorder.history.trials["c0000"], "trials-1/c0000/checkpoint_0", str(tmp_path))
    DAMAGES[name](state_file(tmp_path, "c0000", 1))
    found = entered(recorder, tmp_path)
    assert list(found.networks) == ["c0000", "c0001"]
    assert found.networks["c0000"].__getstate__() == older.__getstate__()
    (note,) = notes(recorder)
    assert f"{tmp_path}/trials-1/c0000/checkpoint_1 of trial c0000 is lost" in note
    assert "from trials-1/c0000/checkpoint_0" in note


@pytest.mark.parametrize("name", DAMAGES)
@pytest.mark.parametrize("told", [False, True])
def test_the_next_best_trial_takes_the_place_of_one_that_is_lost(
    recorder: Recorder, tmp_path: Path, name: str, told: bool
) -> None:
    if told:
        entered(recorder, tmp_path)
    for rung in range(2):
        DAMAGES[name](state_file(tmp_path, "c0000", rung))
    assert list(entered(recorder, tmp_path).networks) == ["c0001", "c0002"]
    (note,) = notes(recorder)
    assert f"{tmp_path}/trials-1/c0000/checkpoint_1 of trial c0000 is lost" in note
    assert note.endswith("in the finals trial c0002 takes its place.")
    assert list(entered(recorder, tmp_path).networks) == ["c0001", "c0002"], "and a resume agrees"
    assert len(notes(recorder)) == 1


def test_when_nobody_is_left_there_are_fewer(recorder: Recorder, tmp_path: Path) -> None:
    for name in ("c0000", "c0002"):
        for rung in range(2):
            DAMAGES["halved"](state_file(tmp_path, name, rung))
    assert list(entered(recorder, tmp_path).networks) == ["c0001"]
    assert any("no other trial is left to take its place" in note for note in notes(recorder))


def test_when_all_are_lost_the_sentence_names_file_and_trial(recorder: Recorder, tmp_path: Path) -> None:
    for name in ("c0000", "c0001", "c0002"):
        for rung in range(2):
            DAMAGES["emptied"](state_file(tmp_path, name, rung))
    with pytest.raises(RunError, match=r"/trials-1/c0000/checkpoint_1 of trial c0000 is lost .* --resume"):
        entered(recorder, tmp_path)
    assert recorder.all(Contenders) == []


def test_a_storage_that_does_not_answer_costs_no_finalist(
    recorder: Recorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unanswered(checkpoint: object) -> bytes:
        raise OSError("When reading the object: curlCode 28, Timeout was reached")

    monkeypatch.setattr(finalist, "read_state", unanswered)
    with pytest.raises(RunError, match=r"checkpoint_1 of trial c0000 cannot be read \(When reading.*--resume"):
        entered(recorder, tmp_path)
    assert recorder.all(Contenders) == []


@pytest.mark.parametrize("name", DAMAGES)
def test_every_damage_is_told_from_a_whole_checkpoint(recorder: Recorder, tmp_path: Path, name: str) -> None:
    DAMAGES[name](state_file(tmp_path, "c0001", 1))
    with pytest.raises(BundleError, match=r"checkpoint_1 of trial c0001 is lost \("):
        Finalist.from_checkpoint(recorder.history.trials["c0001"], "trials-1/c0001/checkpoint_1", str(tmp_path))

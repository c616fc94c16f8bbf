"""Networks that were chosen are trained once more, on validation too, and only once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from synthcity.market.dataset import Dataset
from synthcity.market.windows import WindowSpec
from synthcity.nets.state import Meta, dump, parse
from synthcity.search.candidates.space import canonical
from synthcity.search.config import BudgetConfig
from synthcity.search.finals import refit
from synthcity.search.finals.refit import with_validation
from synthcity.search.journal.events import Degraded
from synthcity.search.journal.journal import Journal
from synthcity.search.journal.recorder import Recorder
from synthcity.search.trials.tuning import trial_seed
from tests.damage import DAMAGES
from tests.nets.conftest import START, dataset
from tests.search.builders import candidate, history, tell
from tests.search.order import assert_before, recorded

DAY = 86400
META = Meta(
    config={}, competition="", rules="", spec=WindowSpec.of(300, 4), assets=("BTC",), seed=0, step=1, scores=(1.0,)
)
STATE = dump({"best.weight": torch.arange(64.0)}, META)
__all__ = ["dataset"]


def test_training_windows_reach_to_the_end_of_validation_and_no_further(dataset: Dataset) -> None:
    wide = with_validation(dataset, START + 7 * DAY, START + 24 * DAY)
    for asset, starts in wide.train.items():
        assert set(dataset.train[asset]) < set(starts)
        end = dataset.tables[asset].time[starts] + dataset.spec.horizon * dataset.spec.increment
        assert end.max() == START + 24 * DAY
        np.testing.assert_array_equal(wide.validation[asset], dataset.validation[asset])


class FakeRay:
    """Runs nothing: keeps what a task was given, and ends so many of them before time is up."""

    def __init__(self, done: int) -> None:
        self.done, self.given, self.cancelled = done, [], 0

    def put(self, value: Any) -> Any:
        return value

    def remote(self, **_: Any) -> Any:
        return lambda function: SimpleNamespace(remote=self._task)

    def _task(self, *arguments: Any) -> int:
        self.given.append(arguments)
        return len(self.given) - 1

    def wait(self, handles: list[int], *, num_returns: int, timeout: float | None) -> tuple[list[int], list[int]]:
        if timeout is not None and self.done == 0:
            return [], handles
        self.done -= 1
        return handles[:1], handles[1:]

    def get(self, handle: int) -> tuple[bytes, int, float]:
        return STATE, self.given[handle][4], 1.0

    def cancel(self, handle: int, *, force: bool) -> None:
        self.cancelled += 1


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Recorder]:
    with Journal(tmp_path) as journal:
        yield Recorder(journal)


def refitted(
    recorder: Recorder, dataset: Dataset, folder: Path, seconds: float | None, ray: FakeRay, patch: pytest.MonkeyPatch
) -> dict[str, Any]:
    patch.setattr(refit, "ray", ray)
    patch.setattr(refit, "_together", lambda name, networks: len(networks))
    periods = SimpleNamespace(
        train=SimpleNamespace(start=START + 7 * DAY), validation=SimpleNamespace(end=START + 24 * DAY)
    )
    records = history(tell(candidate(0), 5000.0), tell(candidate(1), 5001.0)).records
    for record in records:
        record.rungs[0]["steps"] = 300
    data: Any = SimpleNamespace(dataset=dataset, periods=periods, inputs=None)
    return refit.refit(
        records, seconds, recorder=recorder, data=data, folder=folder, budget=BudgetConfig(seed=3, max_steps=400)
    )


def test_they_are_trained_on_validation_too_the_first_copies_first(
    recorder: Recorder, dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ray = FakeRay(99)
    assert refitted(recorder, dataset, tmp_path, None, ray, monkeypatch) == {"c0000": 2, "c0001": 2}
    for _, _, given, _, steps in ray.given:
        assert steps == 300
        for asset, starts in given.train.items():
            assert set(dataset.validation[asset]) <= set(starts), "the validation period is learned from"
    assert recorder.history.stage == "training c0000, c0001 afresh on train and validation together, 4 trainings"
    seeds = [arguments[3] for arguments in ray.given]
    assert seeds == [trial_seed(3, 0), trial_seed(3, 1), trial_seed(3, 0) + 1, trial_seed(3, 1) + 1]


def test_what_is_not_done_in_time_is_given_up_and_left_out(
    recorder: Recorder, dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert refitted(recorder, dataset, tmp_path, 0.0, FakeRay(0), monkeypatch) == {}
    ray = FakeRay(3)
    assert refitted(recorder, dataset, tmp_path, 9.0, ray, monkeypatch) == {"c0000": 2, "c0001": 1}
    assert ray.cancelled == 1
    again = FakeRay(1)
    assert refitted(recorder, dataset, tmp_path, 9.0, again, monkeypatch) == {"c0000": 2, "c0001": 2}
    assert len(again.given) == 1, "what was done is not trained again"


@pytest.mark.parametrize("seconds", [None, 0.0])
@pytest.mark.parametrize("name", DAMAGES)
def test_a_state_that_is_lost_is_trained_again_and_told(
    recorder: Recorder, dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, seconds: float
) -> None:
    refitted(recorder, dataset, tmp_path, None, FakeRay(99), monkeypatch)
    DAMAGES[name](tmp_path / "refit" / "c0001-1.safetensors")
    again = FakeRay(99)
    assert refitted(recorder, dataset, tmp_path, seconds, again, monkeypatch) == {"c0000": 2, "c0001": 2}
    notes = [event["note"] for event in recorder.all(Degraded)]
    lost = 4 if name == "folder missing" else 1
    assert len(again.given) == len(notes) == lost
    assert any("refit/c0001-1.safetensors of trial c0001 is lost" in note for note in notes)
    assert again.given[-1][3] == trial_seed(3, 1) + 1, "the same from the same seed"


def test_a_network_is_told_once_its_state_is_on_the_disk(
    recorder: Recorder, dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = recorded(recorder, monkeypatch)
    refitted(recorder, dataset, tmp_path, None, FakeRay(99), monkeypatch)
    assert told.count("refit") == 4
    assert_before(told, "refit", tmp_path / "refit" / ".c0000-0.safetensors.tmp", tmp_path / "refit")


def test_a_network_that_trains_fewer_steps_is_refitted_with_as_many(dataset: Dataset) -> None:
    net = {"d_model": 16, "history": 24, "head": {"name": "gbm"}, "training": {"steps": 0.4, "batch_size": 24}}
    record = history(tell(replace(candidate(0), config=canonical(net)), 5000.0)).records[0]
    for taken, wanted in ((4, 8), (12, 12)):  # at least half of the 16 that are its part of 40
        record.rungs[0]["steps"] = taken
        assert refit._steps(record, BudgetConfig(max_steps=40)) == wanted
    state, steps, _ = refit.fit(canonical(net), (), dataset, 1, 8)
    assert (steps, parse(state)[1].step) == (8, 8)

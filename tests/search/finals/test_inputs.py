"""What a library keeps: chosen at the start, learned once, told, and the same after a resumption."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from synthcity.authored.locked.lock import NotIsolated
from synthcity.errors import BundleError, ConfigError
from synthcity.forecast.bundles.bundle import load
from synthcity.market.bars import Market
from synthcity.market.periods import Periods
from synthcity.nets.forecaster import NetForecaster
from synthcity.nets.state import parse
from synthcity.research.informed import columns
from synthcity.research.informed.forecaster import Informed
from synthcity.research.informed.kept import Kept
from synthcity.research.inputs import InputRefused
from synthcity.research.labbook import Origin
from synthcity.research.library import add
from synthcity.search.config import SearchConfig, parse_config
from synthcity.search.data import SearchData
from synthcity.search.finals import inputs
from synthcity.search.finals.inputs import choose_inputs, with_library
from synthcity.search.journal.events import Degraded, InputsTold
from synthcity.search.journal.journal import Journal
from synthcity.search.journal.recorder import Recorder
from tests.research.conftest import ASSETS, WAVE, swinging
from tests.research.informed.conftest import WAVES, swings
from tests.research.informed.test_forecaster import by_hand
from tests.research.test_library import RECIPE, evidence
from tests.search.researching.conftest import data_of
from tests.search.test_run import events, finish, start

__all__ = ["swinging", "swings"]
REAL = replace(evidence(), prices="prices")
PERIODS = {
    "train": ["2025-05-01", "2025-07-20"],
    "validation": ["2025-07-20", "2025-08-01"],
    "test": ["2025-08-01", "2025-09-01"],
}
SWEEP = {
    "competition": "crypto-24h",
    "data": {"path": "prices", "periods": PERIODS},
}


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Recorder]:
    with Journal(tmp_path / "run") as journal:
        yield Recorder(journal)


@pytest.fixture
def data(swings: Market) -> SearchData:
    return data_of(swings, Periods.parse(PERIODS), "files")


def config(library: Path | None, *settings: str) -> SearchConfig:
    own = [] if library is None else [f"search.library={library}"]
    return parse_config(SWEEP, [*own, *settings])


def test_a_library_that_research_is_yet_to_make_holds_nothing(tmp_path: Path) -> None:
    assert choose_inputs(config(tmp_path / "new", "search.research.rounds=1")) == ([], [])
    with pytest.raises(ConfigError, match="where there is no folder"):
        choose_inputs(config(tmp_path / "new"))


def test_what_is_learned_is_told_saved_and_the_same_whatever_becomes_of_the_library(
    tmp_path: Path, recorder: Recorder, data: SearchData, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = tmp_path / "library"
    add(library, "cycle(7,1)", WAVES.origin, REAL)
    (library / "broken.json").write_text("{")
    asked: list[list[Kept]] = []
    found: list[SearchData] = []

    def learn(kept: list[Kept], *_: object, **__: object) -> object:
        asked.append(kept)
        return by_hand(), ("BTC: 3 prompts are left out, it rests",)

    monkeypatch.setattr(columns, "_MOST", 50)

    monkeypatch.setattr(inputs, "learn", learn)
    for _ in range(2):
        found.append(with_library(recorder, data, config(library), tmp_path / "run"))
        shutil.rmtree(library, ignore_errors=True)
    assert len(asked) == 1
    told = recorder.last(InputsTold)
    assert told is not None
    assert told.get("seconds", 0.0) > 0.0
    assert told["inputs"] == [{"name": WAVES.name, "made_by": "recipe", "sha256": WAVES.sha256}]
    notes = [event["note"] for event in recorder.all(Degraded)]
    assert "broken.json is no item of a library: " in notes[0]
    assert notes[1] == "BTC: 3 prompts are left out, it rests."
    assert told.get("networks")
    assert [one.inputs is not None and one.inputs.digest for one in found] == [by_hand().digest] * 2
    assert found[0].dataset.spec.inputs
    for asset in ASSETS:
        first, second = (one.dataset.tables[asset].foretold for one in found)
        assert first is not None
        assert second is not None
        np.testing.assert_array_equal(first.values, second.values)
    shutil.rmtree(tmp_path / "run" / "inputs")
    with pytest.raises(BundleError):
        with_library(recorder, data, config(library), tmp_path / "run")


def test_a_library_without_anything_to_use_is_told_once_and_the_search_goes_on(
    tmp_path: Path, recorder: Recorder, data: SearchData
) -> None:
    add(tmp_path / "library", "cycle(7,1)", RECIPE, evidence())
    for _ in range(2):
        assert with_library(recorder, data, config(tmp_path / "library"), tmp_path).inputs is None
    told = recorder.last(InputsTold)
    assert told is not None
    assert told["inputs"] == []
    assert len(recorder.all(Degraded)) == 2


def test_without_a_library_nothing_is_told(recorder: Recorder, data: SearchData, tmp_path: Path) -> None:
    assert with_library(recorder, data, config(None), tmp_path) is data
    assert recorder.last(InputsTold) is None


def test_the_networks_of_an_older_run_go_on_without_inputs(
    tmp_path: Path, recorder: Recorder, data: SearchData
) -> None:
    by_hand().save(tmp_path / "inputs")
    used = [{"name": WAVES.name, "made_by": "recipe", "sha256": WAVES.sha256}]
    recorder.emit("inputs", forecaster="har-inputs", inputs=used, seconds=1.0)  # as it was told then
    found = with_library(recorder, data, config(tmp_path), tmp_path)
    assert found.inputs is not None
    assert found.dataset is data.dataset


def test_where_inputs_cannot_be_asked_about_windows_networks_are_told_nothing_and_the_report_says_so(
    tmp_path: Path, recorder: Recorder, data: SearchData, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> object:
        raise InputRefused("it broke its contract")

    add(tmp_path / "library", "cycle(7,1)", WAVES.origin, REAL)
    monkeypatch.setattr(inputs, "learn", lambda *_, **__: (by_hand(), ()))
    monkeypatch.setattr(inputs, "with_inputs", refuse)
    for _ in range(2):
        found = with_library(recorder, data, config(tmp_path / "library"), tmp_path)
        assert found.inputs is not None
        assert found.dataset is data.dataset
    (note,) = [event["note"] for event in recorder.all(Degraded)]
    assert note == "Networks are told of no kept inputs: it broke its contract."


def test_what_is_wrong_is_told_before_anything_is_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="where there is no folder"):
        choose_inputs(config(tmp_path / "gone"))
    with pytest.raises(ConfigError, match=r"search\.finalists must be 8 at most with search\.library, got 9"):
        config(tmp_path, "search.finalists=9")

    def fail() -> None:
        raise NotIsolated("libseccomp2 is missing")

    monkeypatch.setattr(inputs, "check_isolation", fail)
    add(tmp_path, "cycle(7,1)", WAVES.origin, REAL)
    assert len(choose_inputs(config(tmp_path))[0]) == 1
    add(tmp_path, "seven_hours", Origin(source=WAVE), REAL)
    with pytest.raises(NotIsolated, match=r"but libseccomp2 is missing; or set search.library to null"):
        choose_inputs(config(tmp_path))


@pytest.mark.slow
def test_a_search_with_a_library_of_one_recipe_from_its_prices_to_its_report(tmp_path: Path) -> None:
    library, run = tmp_path / "library", tmp_path / "runs" / "tiny"
    add(library, "cycle(37,2)", RECIPE, evidence())
    finish(
        start(
            *(tmp_path, "--set", f"search.library={library}"),
            *("--set", "search.trials=1", "--set", "search.candidates=[summary_gbm]"),
        )
    )
    told = [event["kind"] for event in events(run)]
    assert told.index("inputs") < told.index("trial_started")
    states = [path.read_bytes() for path in (*run.glob("checkpoints/*/*/*/state.safetensors"), *run.glob("refit/*"))]
    assert len(states) > 4, "a refit follows"
    assert all(parse(state)[1].spec.inputs for state in states)
    inputs = load(run / "inputs")
    assert isinstance(inputs, Informed)
    assert NetForecaster.from_state(states[-1], inputs).inputs is inputs
    report = json.loads((run / "report.json").read_text())
    assert "networks and har-inputs know cycle" in report["inputs"]

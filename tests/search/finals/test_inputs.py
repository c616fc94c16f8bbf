"""What a library keeps: chosen at the start, learned once, told, and the same after a resumption."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from synthcity.authored.locked.lock import NotIsolated
from synthcity.errors import BundleError, ConfigError
from synthcity.forecast.bundles.facts import Facts
from synthcity.research.informed.kept import Kept
from synthcity.research.labbook import Origin
from synthcity.research.library import add
from synthcity.search.config import SearchConfig, parse_config
from synthcity.search.finals import inputs
from synthcity.search.finals.inputs import choose_inputs, informed, learn_inputs
from synthcity.search.journal.events import Degraded, InputsTold
from synthcity.search.journal.journal import Journal
from synthcity.search.journal.recorder import Recorder
from tests.research.conftest import WAVE
from tests.research.informed.conftest import WAVES
from tests.research.informed.test_forecaster import by_hand
from tests.research.test_library import RECIPE, evidence

REAL = replace(evidence(), prices="prices")
SWEEP = {
    "competition": "crypto-24h",
    "data": {
        "path": "prices",
        "periods": {
            "train": ["2025-05-01", "2025-07-20"],
            "validation": ["2025-07-20", "2025-08-01"],
            "test": ["2025-08-01", "2025-09-01"],
        },
    },
}


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Recorder]:
    with Journal(tmp_path / "run") as journal:
        yield Recorder(journal)


@pytest.fixture
def data() -> Any:
    facts = Facts(venues=("files",), assets=("BTC",))
    periods = SimpleNamespace(train=None)
    return SimpleNamespace(market=None, assets=("BTC",), competition=None, periods=periods, facts=facts)


def config(library: Path | None, *settings: str) -> SearchConfig:
    own = [] if library is None else [f"search.library={library}"]
    return parse_config(SWEEP, [*own, *settings])


def test_what_is_learned_is_told_saved_and_the_same_whatever_becomes_of_the_library(
    tmp_path: Path, recorder: Recorder, data: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = tmp_path / "library"
    add(library, "cycle(7,1)", WAVES.origin, REAL)
    (library / "broken.json").write_text("{")
    asked: list[list[Kept]] = []

    def learn(kept: list[Kept], *_: object, **__: object) -> object:
        asked.append(kept)
        return by_hand(), ("BTC: 3 prompts are left out, it rests",)

    monkeypatch.setattr(inputs, "learn", learn)
    for _ in range(2):
        learn_inputs(recorder, data, config(library), tmp_path / "run")
        shutil.rmtree(library, ignore_errors=True)
    assert len(asked) == 1
    told = recorder.last(InputsTold)
    assert told is not None
    assert told.get("seconds", 0.0) > 0.0
    assert told["inputs"] == [{"name": WAVES.name, "made_by": "recipe", "sha256": WAVES.sha256}]
    notes = [event["note"] for event in recorder.all(Degraded)]
    assert "broken.json is no item of a library: " in notes[0]
    assert notes[1] == "BTC: 3 prompts are left out, it rests."
    found = informed(recorder, tmp_path / "run")
    assert list(found) == ["har-inputs"]
    shutil.rmtree(tmp_path / "run" / "inputs")
    with pytest.raises(BundleError):
        informed(recorder, tmp_path / "run")


def test_a_library_without_anything_to_use_is_told_once_and_the_search_goes_on(
    tmp_path: Path, recorder: Recorder, data: Any
) -> None:
    add(tmp_path / "library", "cycle(7,1)", RECIPE, evidence())
    for _ in range(2):
        learn_inputs(recorder, data, config(tmp_path / "library"), tmp_path)
    told = recorder.last(InputsTold)
    assert told is not None
    assert told["inputs"] == []
    assert len(recorder.all(Degraded)) == 2
    assert informed(recorder, tmp_path) == {}


def test_without_a_library_nothing_is_told(recorder: Recorder, data: Any, tmp_path: Path) -> None:
    learn_inputs(recorder, data, config(None), tmp_path)
    assert recorder.last(InputsTold) is None
    assert informed(recorder, tmp_path) == {}


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

"""A research beside the trials, without a model and with a scripted one: found, learned, saved, and not done twice."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from synthcity.authored.locked.lock import NotIsolated
from synthcity.forecast.bundles.bundle import load
from synthcity.research import run
from synthcity.research.bench import Bench
from synthcity.research.config import ResearchConfig
from synthcity.research.informed.forecaster import Informed
from synthcity.research.library import items
from synthcity.research.measuring.trial import Judge
from synthcity.research.setting import Given, Setting
from synthcity.search.data import SearchData
from synthcity.search.researching import plan, work
from synthcity.search.researching.work import Outcome, do_research
from tests.research.conftest import FOLDS, setting_of
from tests.research.model.test_arm import DECISION, LOOK, Scripted
from tests.research.test_run import Lucky
from tests.search.researching.conftest import config


@pytest.fixture
def prices(swinging: Judge, monkeypatch: pytest.MonkeyPatch) -> list[Given]:
    """The small bench in place of a baseline on a long market; what research was given is kept."""
    seen: list[Given] = []

    def prepare(own: ResearchConfig, progress: Any, *, given: Given) -> Setting:
        seen.append(given)
        return setting_of(swinging)

    monkeypatch.setattr(work, "prepare", prepare)
    monkeypatch.setattr(plan, "_folds", lambda data: FOLDS)
    monkeypatch.setattr(run, "Grammar", Lucky)
    return seen


def done(data: SearchData, folder: Path, client: Any = None, *settings: str) -> tuple[Outcome, list[str]]:
    told: list[str] = []
    outcome = do_research(config(*settings), data, folder, client, tell=told.append, left=lambda: 1000.0)
    return outcome, told


def test_what_the_control_keeps_is_learned_saved_and_the_same_after_a_kill(
    data: SearchData, prices: list[Given], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome, told = done(data, tmp_path)
    assert prices[0].simulated
    assert outcome.sentence.startswith("2 tested, 1 promising, 1 of 1 claims kept, which gain −")
    assert outcome.sentence.endswith("; no language model was asked: it may cost nothing (llm.caps.usd_per_run is 0)")
    (found,) = outcome.found
    assert (found["arm"], found["made_by"], outcome.inputs) == ("control", "recipe", (found["name"],))
    assert found["mean"] < 0
    (item,) = items(tmp_path / "research" / "library")[0]
    assert item.name == found["name"]
    assert item.evidence.simulated
    learned = load(tmp_path / "research" / "inputs")
    assert isinstance(learned, Informed)
    assert [one.kept.sha256 for one in learned.inputs] == [found["sha256"]]
    assert "round 1 of 1, control: 2 tests so far; best cycle(7,1)" in " ".join(told)
    monkeypatch.setattr(Bench, "_tested", None)  # nothing is tested a second time
    assert done(data, tmp_path)[0] == outcome


def test_what_is_kept_goes_into_the_library_of_the_search_and_is_told_as_found_in_this_run(
    data: SearchData, prices: list[Given], tmp_path: Path
) -> None:
    outcome, _ = done(data, tmp_path / "run", None, f"search.library={tmp_path / 'library'}")
    (item,) = items(tmp_path / "library")[0]
    assert [one["name"] for one in outcome.found] == [item.name]
    assert not (tmp_path / "run" / "research" / "library").exists()


def test_a_model_is_asked_and_where_nothing_can_hold_what_it_writes_the_control_works_alone(
    data: SearchData, prices: list[Given], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "check_isolation", lambda: None)
    monkeypatch.setattr(run, "check_isolation", lambda: None)
    client = Scripted([LOOK, ("finish", DECISION)])
    outcome, _ = done(data, tmp_path / "asked", client)
    assert outcome.sentence.startswith(
        "by the model, 0 tested, 0 promising, 0 of 0 claims kept; by the control, 0 tested"
    )
    assert len(client.asked) == 2

    def fail() -> None:
        raise NotIsolated("libseccomp2 is missing")

    monkeypatch.setattr(work, "check_isolation", fail)
    outcome, _ = done(data, tmp_path / "alone", client)
    assert outcome.sentence.endswith(
        "no language model was asked: what it writes cannot be held here (libseccomp2 is missing)"
    )
    assert len(client.asked) == 2


def test_what_cut_it_short_and_what_the_model_may_have_known_are_told(
    data: SearchData, swinging: Judge, prices: list[Given], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "check_isolation", lambda: None)
    monkeypatch.setattr(run, "check_isolation", lambda: None)
    monkeypatch.setattr(work, "prepare", lambda *_, **__: replace(setting_of(swinging), simulated=False))
    settings = config()
    outcome = do_research(settings, data, tmp_path, Scripted([]), tell=lambda text: None, left=lambda: 0.0)
    assert outcome.sentence.endswith(
        "; time was over in round 1; the model may have known the months 2025-01 to 2025-03"
    )
    assert "one was left out" not in outcome.sentence

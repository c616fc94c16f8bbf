"""From the events of a journal to what a tracker shows."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from synthcity.history.row import read_row
from synthcity.search.journal.history import TrialHistory
from synthcity.search.tracking.records import of_event, of_report, of_run, of_system, told
from tests.search.sample_run import journal, sample_report


@pytest.fixture(scope="module")
def records() -> list[Any]:
    return list(told(journal(), Path("/runs/sweep"), "synth-city"))


def test_the_run_comes_first_with_what_it_is(records: list[Any]) -> None:
    run = records[0]
    assert (run["what"], run["project"], run["name"]) == ("run", "synth-city", "sweep")
    assert run["config"]["competition"] == "crypto-24h"
    assert all(record["what"] == "log" for record in records[1:])
    json.dumps(records, allow_nan=False)


def test_curves_are_each_trial_s_own_scores(records: list[Any]) -> None:
    history = TrialHistory.replay(journal())
    for name, record in history.trials.items():
        curve = [each["values"][f"curve/{name}"] for each in records[1:] if f"curve/{name}" in each["values"]]
        assert curve == record.curve


def test_trials_are_told_with_parameters_state_and_cause(records: list[Any]) -> None:
    values = [record["values"] for record in records[1:]]
    first = next(each for each in values if each.get("trial/source"))
    assert (first["trial/id"], first["params/history"], first["params/head.name"]) == ("c0000", 48, "gbm")
    failed = next(each for each in values if each.get("trial/state") == "failed")
    assert failed["trial/failure"] == "TrialFailed: the loss is not finite at step 40"


def test_steps_are_the_events_own_numbers(records: list[Any]) -> None:
    steps = [record["step"] for record in records[1:]]
    assert steps == sorted(set(steps))
    assert steps[-1] < len(journal())


def test_the_best_so_far_is_a_lead_over_the_best_baseline(records: list[Any]) -> None:
    best = [record["values"]["best/lead"] for record in records[1:] if "best/lead" in record["values"]]
    assert best[-1] < 0
    assert min(best) == pytest.approx(best[-1])


def test_the_result_holds_scores_leads_and_the_row() -> None:
    end = of_report(sample_report(diagnostics=None, groups=None))
    assert end["values"]["test/fhs"] > end["values"]["test/mix-3"]  # type: ignore[operator]
    assert end["values"]["lead_low/fhs"] < end["values"]["lead/fhs"]  # type: ignore[operator]
    assert read_row(end["row"]).name == "sweep"


def test_a_session_is_a_run_of_its_own() -> None:
    run: Any = {"workers": 1, "competition": "crypto-24h", "fingerprint": {"BTC": {"train": "0"}}}
    first, second = (of_run(run, Path("/runs/sweep"), "p", session=session) for session in (1, 2))
    assert (first["name"], second["name"]) == ("sweep", "sweep (session 2)")
    assert first["id"] != second["id"]
    assert first["id"] == of_run(run, Path("/elsewhere/sweep"), "p", session=1)["id"]


def test_texts_are_short_and_events_without_figures_say_nothing() -> None:
    note: Any = {"kind": "degraded", "note": "n\n" * 9_000, "time": 0.0}
    assert len(str(of_event(note, TrialHistory())["note"])) == 500
    stage: Any = {"kind": "stage", "name": "x", "message": "", "time": 0.0}
    assert of_event(stage, TrialHistory()) == {}


def test_the_machine_is_told_in_gigabytes_as_far_as_it_tells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = of_system(tmp_path)
    assert len(whole) == 3
    assert all(isinstance(value, float) and value >= 0 for value in whole.values())

    def unknown(name: str) -> int:
        raise ValueError("unrecognized configuration name")

    monkeypatch.setattr(os, "sysconf", unknown)
    assert list(of_system(tmp_path / "gone")) == ["system/load"]

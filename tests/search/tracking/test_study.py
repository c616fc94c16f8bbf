"""The run as an Optuna study."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from synthcity.search.journal.journal import Journal
from synthcity.search.journal.recorder import Recorder
from synthcity.search.tracking.study import STUDY, Study
from tests.search.builders import candidate, tell

TRIALS = [
    (candidate(0), (5600.0, 5500.0), "completed"),
    (candidate(1), (5700.0,), "stopped"),
    (candidate(2), (), "failed"),
    (candidate(3), (5800.0,), "running"),
    (candidate(4), (), "stopped"),
    (candidate(5), (), "queued"),
]


def write(folder: Path, *trials: Any, slowly: bool = False) -> list[str]:
    """Record trials while the study is open, each event once the last is written if ``slowly``; return what it says."""
    with Journal(folder) as journal:
        study = Study(folder, 3)
        recorder = Recorder(journal, study)
        for one, scores, status in trials:
            for event in tell(one, *scores, status=status):
                fields = {key: value for key, value in event.items() if key not in ("kind", "time")}
                recorder.emit(event["kind"], **fields)
                with study._changed:
                    assert not slowly or study._changed.wait_for(lambda: study._num_behind == 0, 20.0)
        return study.close(60.0)


def read(folder: Path) -> optuna.Study:
    storage = JournalStorage(JournalFileBackend(str(folder / STUDY)))
    (name,) = optuna.get_all_study_names(storage)
    return optuna.load_study(study_name=name, storage=storage)


@pytest.mark.parametrize("slowly", [False, True])
def test_trials_curves_and_states_stand_in_the_study(tmp_path: Path, slowly: bool) -> None:
    assert write(tmp_path, *TRIALS, slowly=slowly) == []
    found = read(tmp_path)
    assert found.study_name == tmp_path.name
    states = [TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL, TrialState.RUNNING, TrialState.FAIL]
    assert [trial.state for trial in found.trials] == states
    assert found.trials[0].intermediate_values == {1: 5600.0, 2: 5500.0}
    assert (found.best_value, found.best_trial.user_attrs["trial"]) == (5500.0, "c0000")
    assert found.trials[0].params["block0"] == "lstm"
    assert "the loss became nan" in found.trials[2].user_attrs["failure"]


def test_it_is_made_anew_for_a_resumed_run_and_stands_for_the_journal(tmp_path: Path) -> None:
    write(tmp_path, *TRIALS[:2])
    (tmp_path / STUDY).write_text("not of Optuna\n")
    (tmp_path / f"{STUDY}.lock").symlink_to("a killed writer")
    assert write(tmp_path, TRIALS[2]) == []
    assert len(read(tmp_path).trials) == 3


def test_a_network_outside_the_space_has_no_parameters(tmp_path: Path) -> None:
    one = candidate(0)
    other = {**one.config, "blocks": [{"name": "lstm"}] * 4}
    strange = type(one)(index=0, source="random", config=other, hash="x")
    assert write(tmp_path, (strange, (5600.0,), "completed")) == []
    assert read(tmp_path).trials[0].params == {}


def test_a_study_that_cannot_be_written_is_told_and_ends_nothing(tmp_path: Path) -> None:
    (tmp_path / STUDY).mkdir(parents=True)
    (said,) = write(tmp_path, *TRIALS)
    assert said.startswith("optuna.journal was not written: ")


@pytest.mark.slow
def test_optuna_dashboard_shows_it_as_it_is(tmp_path: Path) -> None:
    import optuna_dashboard

    write(tmp_path, *TRIALS)
    app = optuna_dashboard.wsgi(JournalStorage(JournalFileBackend(str(tmp_path / STUDY))))

    def asked(path: str) -> Any:
        seen: list[str] = []
        environ: dict[str, Any] = {"PATH_INFO": path}
        setup_testing_defaults(environ)
        body = b"".join(app(environ, lambda status, headers, error=None: seen.append(status)))
        assert seen[0].startswith("200"), (seen, body)
        return json.loads(body)

    (study,) = asked("/api/studies")["study_summaries"]
    trials = asked(f"/api/studies/{study['study_id']}")["trials"]
    assert [trial["state"] for trial in trials] == ["Complete", "Pruned", "Fail", "Running", "Fail"]
    assert [value["value"] for value in trials[0]["intermediate_values"]] == [5600.0, 5500.0]
    assert {param["name"] for param in trials[0]["params"]} > {"d_model", "block0", "head"}

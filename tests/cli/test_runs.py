"""``synthcity runs``."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result

from synthcity.cli import runs as cli
from synthcity.cli.runs import command, locate
from synthcity.errors import ConfigError, RunError
from synthcity.search import run as search
from synthcity.search.journal.folder import resumed_config, write_resolved
from synthcity.search.journal.journal import Journal
from synthcity.search.journal.recorder import Recorder
from synthcity.search.report.saving import REPORT_HTML, REPORT_JSON, write_report
from synthcity.search.tracking import replay
from tests.cli.test_search import REPORT
from tests.search.sample_run import journal
from tests.search.test_comparison import finished


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two finished runs, made once."""
    made = tmp_path_factory.mktemp("made")
    for name, lead in (("one", -0.5), ("two", -2.5)):
        folder = finished(made / name, lead)
        with Journal(folder) as lines:
            recorder = Recorder(lines)
            for event in journal(6):
                told = {key: value for key, value in event.items() if key not in ("kind", "time")}
                recorder.emit(event["kind"], **told)
            recorder.emit("run_finished", winner="mix-3")
    return made


@pytest.fixture
def runs(made: Path, tmp_path: Path) -> Path:
    return shutil.copytree(made, tmp_path / "runs")


def run(*arguments: str | Path, runs: Path) -> Result:
    return CliRunner().invoke(command, [*map(str, arguments), "--runs", str(runs)])


def test_a_run_is_a_folder_a_name_or_the_latest(runs: Path) -> None:
    assert locate("one", runs) == runs / "one"
    assert locate(str(runs / "two"), Path("elsewhere")) == runs / "two"
    assert locate("latest", runs).parent == runs
    with pytest.raises(RunError, match="no run 'three' among the 2"):
        locate("three", runs)


def test_show_says_how_far_a_run_is(runs: Path) -> None:
    done = run("show", "one", runs=runs)
    assert done.exit_code == 0, done.output
    assert "proven" in done.stdout
    assert "trials      6 of 6: 4 completed, 1 failed, 1 stopped; 3 refused" in done.stdout
    assert "best trial  c000" in done.stdout
    assert "goes on" not in done.stdout


def test_show_tells_with_which_exit_code_a_session_ended(runs: Path) -> None:
    with Journal(runs / "one") as lines:
        Recorder(lines).emit("run_interrupted", reason="VaultError: the bucket is away", exit_code=3)
    assert "trouble     VaultError: the bucket is away (exit code 3)" in run("show", "one", runs=runs).stdout


def test_compare_shows_both_what_differs_and_the_paired_lead(runs: Path) -> None:
    done = run("compare", "one", "two", runs=runs)
    assert done.exit_code == 0, done.output
    assert [line.split()[0] for line in done.stdout.splitlines()[1:3]] == ["one", "two"]
    assert "the second scores 2.0" in done.stdout


def test_report_draws_the_page_and_says_where_from(runs: Path) -> None:
    done = run("report", "one", runs=runs)
    assert (done.exit_code, done.stdout, done.stderr) == (0, f"{runs / 'one' / REPORT_HTML}\n", "")
    (runs / "one" / REPORT_JSON).write_text("{")
    refused = run("report", "one", runs=runs).exception  # nothing stands in this journal
    assert isinstance(refused, RunError)
    assert str(refused) == "the journal does not tell how the run began; start the search again"


def test_extend_resumes_under_the_run_s_own_config(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = runs.rename(runs.parent / "it's: mine")
    seen: list[Any] = []

    def searched(config: Any, **options: Any) -> Any:
        seen.append((config, options))
        return SimpleNamespace(report=REPORT, folder=runs, winner=runs, page=runs, vault=None)

    monkeypatch.setattr(search, "search", searched)
    assert run("extend", "one", "--trials", "80", runs=runs).exit_code == 0
    ((config, options),) = seen
    assert (config.search.trials, config.name, config.output) == (80, "one", str(runs))
    assert options["resume"] is True


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--trials", "40"], "adds none: the run in"),
        (["--trials", "3"], "adds none: the run in"),
        (["--time", "2h"], "is for runs with a time budget"),
    ],
)
def test_extend_refuses_what_adds_nothing(runs: Path, arguments: list[str], said: str) -> None:
    done = run("extend", "one", *arguments, runs=runs)
    assert isinstance(done.exception, ConfigError)
    assert said in str(done.exception)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--time", "20m"], "--time 20m adds none: the run in"),
        (["--time", "10m"], "--time 10m adds none: the run in"),
        (["--time", "10m", "--trials", "80"], "--time 10m adds none: the run in"),
        (["--time", "20m", "--trials", "40"], "--trials 40 adds none: the run in"),
        (["--time", "30m", "--trials", "3"], "--trials 3 adds none: the run in"),
    ],
)
def test_extend_refuses_time_that_a_run_has_already(runs: Path, arguments: list[str], said: str) -> None:
    own = resumed_config(runs / "one", [])
    write_resolved(runs / "one", replace(own, search=replace(own.search, time_budget=1200.0)))
    done = run("extend", "one", *arguments, runs=runs)
    assert isinstance(done.exception, ConfigError)
    assert said in str(done.exception)


def test_what_a_terminal_would_obey_is_not_shown(runs: Path) -> None:
    with Journal(runs / "two") as lines:
        recorder = Recorder(lines)
        recorder.emit("run_extended", trials=80, looks=1)
        recorder.emit("stage", name="x", message="\x1b[2Jwiped")
    own = resumed_config(runs / "two", [])
    write_resolved(runs / "two", replace(own, data=replace(own.data, path="\x1b[2Jwiped")))
    for done in (run("show", "two", runs=runs), run("compare", "one", "two", runs=runs)):
        assert done.exit_code == 0, done.output
        assert "?[2Jwiped" in done.stdout


def test_extend_wants_to_know_by_how_much(runs: Path) -> None:
    assert run("extend", "one", runs=runs).exit_code == 2


def test_report_draws_the_page_again(runs: Path) -> None:
    page = write_report(runs / "one")
    before = page.read_bytes()
    page.unlink()
    assert run("report", "one", runs=runs).stdout == f"{page}\n"
    assert page.read_bytes() == before


def test_track_says_where_each_tracker_has_it(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = [
        replay.Tracked(tracker="wandb", where="there", notes=("kept offline",)),
        replay.Tracked(tracker="trackio", where="here", is_new=False),
    ]
    asked: list[Any] = []
    monkeypatch.setattr(replay, "replay", lambda folder, names: asked.append((folder, names)) or told)
    done = run("track", "one", "--to", "wandb,trackio", runs=runs)
    assert done.stdout.splitlines() == ["wandb  there", "trackio  here  (told before)"]
    assert done.stderr == "kept offline\n"
    assert asked == [(runs / "one", ["wandb", "trackio"])]


def test_it_says_what_there_is_without_loading_torch() -> None:
    assert {"show", "compare", "extend", "report", "track"} <= set(cli.command.commands)

"""From a sweep file to a report, on a small simulated market and a real local Ray."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import yaml

from synthcity.errors import ConfigError, DataError, VaultError
from synthcity.forecast.bundles.bundle import load
from synthcity.search.journal.journal import Journal
from synthcity.search.journal.recorder import Recorder
from synthcity.search.run import _Run, search

ROOT = Path(__file__).parents[2]
SWEEP = {
    "competition": "crypto-24h",
    "data": {
        "source": "simulated",
        "assets": ["BTC", "ETH"],
        "periods": {
            "train": ["2025-02-10", "2025-03-01"],
            "validation": ["2025-03-01", "2025-03-08"],
            "test": ["2025-03-08", "2025-03-22"],
        },
        "validation_every": "23h",
        "test_every": "23h",
        "simulated": {"days": 90},
    },
    "search": {"trials": 4, "rungs": 2, "max_steps": 12, "finalists": 2, "final_seeds": 1, "workers": 2},
}


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    (folder / "home").mkdir(exist_ok=True)
    sweep = folder / "tiny.yaml"
    sweep.write_text(yaml.safe_dump(SWEEP))
    command = [sys.executable, "-c", "from synthcity.cli.main import main; main()", "search", str(sweep)]
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("RAY_")},
        "HOME": str(folder / "home"),
        "PYTHONPATH": str(ROOT),
    }
    return subprocess.Popen(
        [*command, "--set", f"output={folder / 'runs'}", *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str], expected: int = 0) -> tuple[str, str]:
    output, errors = process.communicate(timeout=400)
    assert process.returncode == expected, output + errors
    return output, errors


def events(run: Path) -> list[dict[str, Any]]:
    path = run / "journal.jsonl"
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines(keepends=True) if line.endswith("\n")]


def kinds(run: Path, kind: str) -> int:
    return sum(event["kind"] == kind for event in events(run))


@pytest.mark.slow
def test_a_whole_search_killed_twice(tmp_path: Path) -> None:
    run = tmp_path / "runs" / "tiny"
    for kind in ("checkpoint", "winner"):
        process = start(tmp_path, *(["--resume"] if run.exists() else []))
        end = time.monotonic() + 300
        while not kinds(run, kind):
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < end
            time.sleep(0.05)
        process.kill()
        process.communicate()
    output, errors = finish(start(tmp_path, "--resume"))
    assert errors == ""
    for kind in ("baselines", "mix", "winner", "test_scored", "verdict", "search_finished", "run_finished"):
        assert kinds(run, kind) == 1, kind
    assert kinds(run, "trial_finished") == 4
    report = json.loads((run / "report.json").read_text())
    assert report["verdict"]["sentence"] in output
    for name in ("reference", "trailing", "ewma", "fhs"):
        assert name in output
    assert (run / "report.html").stat().st_size > 10_000
    assert len((run / "trials.jsonl").read_text().splitlines()) == 4
    assert load(run / "winner").name
    assert list((tmp_path / "home").iterdir()) == []

    # a finished run resumes to the same result without looking at the test again
    before = (run / "test_scores.parquet").read_bytes()
    again, _ = finish(start(tmp_path, "--resume"))
    assert again.splitlines()[-12:] == output.splitlines()[-12:]
    assert (run / "test_scores.parquet").read_bytes() == before
    assert kinds(run, "test_scored") == 1


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (VaultError("the bucket is away"), {"reason": "VaultError: the bucket is away", "exit_code": 3}),
        (KeyboardInterrupt(), {"reason": "KeyboardInterrupt", "exit_code": 130}),
    ],
)
def test_why_a_session_ended_is_in_the_journal_with_its_exit_code(
    tmp_path: Path, error: BaseException, told: dict[str, object]
) -> None:
    with Journal(tmp_path) as journal:
        run = _Run(
            folder=tmp_path,
            config=cast(Any, SimpleNamespace(search=SimpleNamespace(storage=None))),
            data=cast(Any, None),
            recorder=Recorder(journal),
            command="",
            notes=(),
            tell=lambda report: [],
            dashboard=False,
        )
        run.note(error)
        run.note(error)  # whoever tells it again
    (event,) = (event for event in events(tmp_path) if event["kind"] == "run_interrupted")
    assert told.items() <= event.items()


def test_workers_that_would_wait_for_a_gpu_for_ever_are_refused_before_anything_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synthcity.cluster.job.most_resources", lambda: {"CPU": 2})
    monkeypatch.setattr("synthcity.search.run.load_data", None)
    with pytest.raises(ConfigError, match="no node of the cluster file has a GPU"):
        search(ROOT / "configs/quickstart.yaml", settings=["search.gpus_per_trial=1", f"output={tmp_path}/runs"])
    assert not (tmp_path / "runs").exists()


def test_research_for_which_the_train_period_is_short_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    settings = ["search.research.rounds=1", "data.periods.train=[2025-05-01, 2025-06-01]", f"output={tmp_path}/runs"]
    with pytest.raises(DataError, match=r"the train period .* has 31 days .* research needs 40; begin"):
        search(ROOT / "configs/quickstart.yaml", settings=settings)
    assert not (tmp_path / "runs").exists()


@pytest.mark.slow
def test_what_is_wrong_is_said_before_ray_starts(tmp_path: Path) -> None:
    cases = {
        "search.trails=3": "unknown key 'search.trails'; did you mean 'search.trials'?",
        "data.assets=[DOGE]": "data.assets: unknown asset 'DOGE'",
        "search.arms={tpee: {share: 1}}": "did you mean 'tpe'",
        "output=/proc/runs": "/proc cannot be written to",
        "llm={mode: replay-or-fail, cassette: gone.jsonl}": "llm.cassette 'gone.jsonl' does not exist",
    }
    for setting, message in cases.items():
        begin = time.monotonic()
        output, errors = finish(start(tmp_path, "--set", setting, "--set", "search.debugger=llm"), expected=2)
        assert message in errors
        assert errors.startswith("error: ")
        assert len(errors.splitlines()) == 1, errors
        assert "started" not in output
        assert time.monotonic() - begin < 60

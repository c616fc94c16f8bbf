"""A run told to trackers from its folder, and read back by their own means."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from synthcity.errors import ConfigError, RunError, TrackerError
from synthcity.search.config import parse_config
from synthcity.search.journal.folder import write_resolved
from synthcity.search.journal.journal import Journal
from synthcity.search.journal.recorder import Recorder
from synthcity.search.report.saving import save_data
from synthcity.search.tracking import replay as module
from synthcity.search.tracking.replay import TRACKED, replay
from tests.search.sample_run import journal, sample_report
from tests.search.tracking.readers import trackio_says, wandb_run

PERIODS = {
    "train": ["2025-01-01", "2025-08-01"],
    "validation": ["2025-08-01", "2025-11-01"],
    "test": ["2025-11-01", "2026-01-01"],
}
CONFIG = {"competition": "crypto-24h", "data": {"periods": PERIODS, "source": "simulated"}}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "runs" / "sweep"
    with Journal(folder) as lines:
        recorder = Recorder(lines)
        for event in journal(6):
            recorder.emit(event["kind"], **{key: value for key, value in event.items() if key not in ("kind", "time")})
    write_resolved(folder, parse_config(CONFIG))
    save_data(folder, sample_report(diagnostics=None, groups=None))
    return folder


class Told:
    """Stands in for a feed."""

    where = "there"

    def __init__(self, name: str, environ: dict[str, str], past: Iterator[Any]) -> None:
        self.records = list(past)

    def close(self) -> list[str]:
        return [f"{len(self.records)} records"]


def test_what_a_tracker_has_whole_is_not_told_again(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "Feed", Told)
    (first,) = replay(run, ["wandb"])
    assert (first.where, first.is_new) == ("there", True)
    again = replay(run, ["wandb", "trackio"])
    assert [found.is_new for found in again] == [False, True]
    assert len((run / TRACKED).read_text().splitlines()) == 2


def test_a_run_that_went_on_is_told_again(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "Feed", Told)
    replay(run, ["wandb"])
    with Journal(run) as lines:
        Recorder(lines).emit("run_extended", trials=9, looks=1)
    assert replay(run, ["wandb"])[0].is_new


def test_a_tracker_that_failed_is_an_error_and_is_not_remembered(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "Feed", Told)
    monkeypatch.setattr(Told, "where", "")
    with pytest.raises(TrackerError, match="records"):
        replay(run, ["wandb"])
    assert not (run / TRACKED).exists()


def test_what_cannot_be_told_is_refused(tmp_path: Path, run: Path) -> None:
    with pytest.raises(ConfigError, match="unknown tracker"):
        replay(run, ["mlflow"])
    with pytest.raises(RunError, match="no run"):
        replay(tmp_path, ["trackio"])


@pytest.mark.slow
def test_trials_curves_and_verdict_are_read_back_by_the_trackers_own_means(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path / "trackio"))
    for name in ("HF_TOKEN", "CHUTES_API_KEY", "HIPPIUS_SECRET_KEY", "BASILICA_API_TOKEN"):
        monkeypatch.setenv(name, "canary-0123")
    monkeypatch.setenv("WANDB_API_KEY", "canary-0123" * 4)
    monkeypatch.setenv("WANDB_MODE", "offline")
    wandb, trackio = replay(run, ["wandb", "trackio"])
    assert (wandb.notes, trackio.notes) == ((), ())
    curve = [event["score"] for event in journal(6) if event["kind"] == "rung" and event["id"] == "c0001"]

    logged, summary = wandb_run(Path(wandb.where))
    assert logged["curve/c0001"] == pytest.approx(curve)
    assert len(set(logged["trial/id"])) == 6
    assert summary["result/verdict"].startswith("Proven: mix-3")

    assert trackio_says("list", "runs")["runs"] == ["sweep"]
    values = trackio_says("get", "metric", "--run", "sweep", "--metric", "curve/c0001")["values"]
    assert [value["value"] for value in values] == pytest.approx(curve)
    (verdict,) = trackio_says("get", "metric", "--run", "sweep", "--metric", "result/verdict")["values"]
    assert verdict["value"].startswith("Proven: mix-3")

    written = [path for path in tmp_path.rglob("*") if path.is_file() and not path.is_symlink()]
    assert not [path for path in written if b"canary-0123" in path.read_bytes()]
    assert not [name for name in os.listdir(run) if name.startswith("canary")]

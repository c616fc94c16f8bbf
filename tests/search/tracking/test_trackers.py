"""All trackers of one run."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from synthcity.errors import ConfigError
from synthcity.search.journal.journal import Journal
from synthcity.search.journal.recorder import Recorder
from synthcity.search.tracking import trackers as module
from synthcity.search.tracking.sinks.sink import Record
from synthcity.search.tracking.trackers import Trackers, check_trackers, environ_of
from synthcity.settings import Secret, Settings
from tests.search.builders import candidate
from tests.search.sample_run import sample_report

SETTINGS = Settings(wandb_api_key=Secret("canary-0123"))


class Kept:
    """Stands in for a feed: remembers."""

    made: list[Kept]

    def __init__(self, name: str, environ: dict[str, str], past: Iterable[Record]) -> None:
        self.name, self.records, self.seconds = name, list(past), 0.0
        self.made.append(self)

    def put(self, record: Record) -> None:
        self.records.append(record)

    def close(self, seconds: float) -> list[str]:
        self.seconds = seconds
        return [f"{self.name} lacks one"]


@pytest.fixture
def feeds(monkeypatch: pytest.MonkeyPatch) -> list[Kept]:
    Kept.made = []
    monkeypatch.setattr(module, "Feed", Kept)
    return Kept.made


def begin(recorder: Recorder) -> None:
    told: dict[str, Any] = {"name": "sweep", "competition": "crypto-24h", "workers": 1}
    recorder.emit("run_resumed" if recorder.history.run else "run_started", **told)
    recorder.emit("candidate", **candidate(len(recorder.history.trials)).to_dict())


def test_each_tracker_is_told_the_run_its_events_and_the_result(tmp_path: Path, feeds: list[Kept]) -> None:
    with Journal(tmp_path) as journal:
        trackers = Trackers(("wandb", "trackio"), tmp_path, journal.events)
        recorder = Recorder(journal, trackers)
        recorder.emit("stage", name="resume", message="before it is announced")
        begin(recorder)
        assert trackers.finish(sample_report(diagnostics=None, groups=None)) == ["wandb lacks one", "trackio lacks one"]
        assert trackers.close() == []
    for feed in feeds:
        assert [record["what"] for record in feed.records] == ["run", "log", "end"]
        assert feed.seconds == 20.0


def test_a_resumed_run_is_told_whole_again_with_the_same_steps(tmp_path: Path, feeds: list[Kept]) -> None:
    for _ in range(2):
        with Journal(tmp_path) as journal:
            trackers = Trackers(("trackio",), tmp_path, journal.events)
            begin(Recorder(journal, trackers))
            trackers.close()
    first, second = (feed.records for feed in feeds)
    assert [record.get("step") for record in first] == [None, 1, None]
    assert [record.get("step") for record in second] == [None, 1, 3, None]
    assert second[0]["name"] == f"{tmp_path.name} (session 2)"  # type: ignore[typeddict-item]


def test_without_trackers_nothing_is_started(tmp_path: Path, feeds: list[Kept]) -> None:
    with Journal(tmp_path) as journal:
        trackers = Trackers((), tmp_path, journal.events)
        begin(Recorder(journal, trackers))
        assert trackers.close() == []
    assert feeds == []


def test_only_wandb_gets_its_key_and_nobody_another_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = [
        names[0] for name, names in Settings.variables().items() if isinstance(getattr(Settings(), name), Secret)
    ]
    for name in (*secrets, "WANDB_API_KEY", "TRACKIO_WRITE_TOKEN", "TRACKIO_SPACE_ID"):
        monkeypatch.setenv(name, "canary-0123")
    assert len(secrets) > 5
    found = environ_of("wandb", SETTINGS)
    assert [name for name, value in found.items() if "canary" in value] == ["WANDB_API_KEY"]
    assert not [name for name, value in environ_of("trackio", SETTINGS).items() if "canary" in value]


def test_names_are_held_to_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    check_trackers(("wandb", "trackio"))
    monkeypatch.setenv("BT_NETUID", "fifty")
    check_trackers(())
    with pytest.raises(ConfigError, match="BT_NETUID"):
        check_trackers(["wandb"])
    monkeypatch.delenv("BT_NETUID")
    with pytest.raises(ConfigError, match="unknown tracker 'wanddb'; did you mean 'wandb'"):
        check_trackers(["wanddb"])
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"trackio is not installed; pip install 'synth-city\[track\]'"):
        check_trackers(["trackio"])

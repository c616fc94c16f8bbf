from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from synthcity.errors import RunError
from synthcity.search.journal.events import Event, Stage, Winner
from synthcity.search.journal.history import TrialHistory
from synthcity.search.journal.journal import Journal
from synthcity.search.journal.recorder import Recorder
from tests.search.builders import candidate


class Screen:
    def __init__(self) -> None:
        self.begun = -1
        self.seen: list[str] = []

    def begin(self, history: TrialHistory) -> None:
        self.begun = len(history.trials)

    def update(self, event: Event, history: TrialHistory) -> None:
        self.seen.append(event["kind"])


def test_an_event_reaches_disk_history_and_screen(tmp_path: Path) -> None:
    screen = Screen()
    with Journal(tmp_path) as journal:
        recorder = Recorder(journal, screen)
        recorder.emit("candidate", **candidate(0).to_dict())
        recorder.emit("stage", name="finals", message="")
        assert list(recorder.history.trials) == ["c0000"]
        assert screen.seen == ["candidate", "stage"]
        assert recorder.last(Stage) == recorder.events[-1]
        assert recorder.last(Winner) is None
    with Journal(tmp_path) as journal:
        again = Recorder(journal, screen)
        assert again.history == recorder.history
        assert screen.begun == 1
        assert screen.seen == ["candidate", "stage"]


def test_what_could_not_be_written_never_happened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen()
    with Journal(tmp_path) as journal:
        recorder = Recorder(journal, screen)

        def full(event: Mapping[str, Any]) -> None:
            raise RunError("no space left on the device")

        monkeypatch.setattr(journal, "append", full)
        with pytest.raises(RunError, match="no space left"):
            recorder.emit("candidate", **candidate(0).to_dict())
        assert isinstance(recorder.failure, RunError)
        assert not recorder.history.trials
        assert screen.seen == []

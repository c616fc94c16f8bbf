"""What was found beside the trials, as members of the mix."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthcity.authored.forecaster import AuthoredForecaster, ForecasterSource
from synthcity.errors import BundleError
from synthcity.research.informed.forecaster import Informed
from synthcity.search.finals.found import NAME, found_members
from synthcity.search.journal.journal import Journal
from synthcity.search.journal.recorder import Recorder
from tests.research.conftest import SWING
from tests.research.informed.test_forecaster import by_hand


def test_they_are_loaded_by_what_the_journal_tells(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        recorder = Recorder(journal)
        assert found_members(recorder, tmp_path) == {}
        by_hand().save(tmp_path / "research" / "inputs")
        AuthoredForecaster(ForecasterSource.of(SWING)).save(tmp_path / "research" / "forecasters" / "swing-0a1b2c")
        rest = {"sentence": "two", "found": [], "seconds": 1.0, "usd": 0.0}
        recorder.emit("researched", inputs=["cycle-7-1-0a1b2c"], forecasters=["swing-0a1b2c"], **rest)
        found = found_members(recorder, tmp_path)
        assert list(found) == [NAME, "swing-0a1b2c"]
        assert isinstance(found[NAME], Informed)
        assert isinstance(found["swing-0a1b2c"], AuthoredForecaster)
        recorder.emit("researched", inputs=[], forecasters=["gone"], **rest)
        with pytest.raises(BundleError):
            found_members(recorder, tmp_path)

"""A journal in which a queue writes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from synthcity.search.journal.journal import Journal
from synthcity.search.journal.recorder import Recorder


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Recorder]:
    with Journal(tmp_path / "run") as journal:
        yield Recorder(journal)

"""The bridge is killed while jobs run."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthcity.bridge.jobs.board import MOST_AT_A_TIME
from tests.bridge.survival import round_of


@pytest.mark.slow
def test_jobs_outlive_a_killed_bridge_and_are_found_again(tmp_path: Path) -> None:
    assert round_of(tmp_path, MOST_AT_A_TIME) == MOST_AT_A_TIME

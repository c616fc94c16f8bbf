"""What a tracker costs a search, with few events."""

from __future__ import annotations

from benchmarks.tracking import HANGS, KEEPS, recording
from synthcity.search.tracking import trackers
from synthcity.search.tracking.feed import Feed


def test_a_tracker_that_hangs_is_told_and_one_that_keeps_all_says_nothing() -> None:
    assert recording(KEEPS, 2)[2] == []
    said = recording(HANGS, 2, patience=0.1)[2]
    assert [note.split()[0] for note in said] == ["wandb", "trackio"]
    assert recording("", 2)[2] == []
    assert trackers.Feed is Feed

"""Who trained what and when."""

from __future__ import annotations

from dataclasses import replace

from synthcity.search.journal.history import TrialHistory
from synthcity.search.report.findings.lanes import lane_rows
from tests.search.builders import candidate, tell


def test_trials_that_ran_at_a_time_lie_on_lanes_of_their_own() -> None:
    spans = [(100.0, 110.0), (100.0, 130.0), (110.0, 120.0), (125.0, 140.0), None]
    records = []
    for at, span in enumerate(spans):
        (record,) = TrialHistory.replay(tell(candidate(at), 5000.0)).records
        began, ended = span or (None, None)
        records.append(replace(record, started_at=began, finished_at=ended))
    rows = lane_rows(records)
    assert [(row["id"], row["lane"]) for row in rows] == [("c0000", 0), ("c0001", 1), ("c0002", 0), ("c0003", 0)]
    assert [(row["begin"], row["end"]) for row in rows][2:] == [(10.0, 20.0), (25.0, 40.0)]
    assert lane_rows([]) == []

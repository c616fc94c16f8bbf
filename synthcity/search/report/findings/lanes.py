"""Which worker trained what and when, as lanes of a timeline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from synthcity.search.journal.record import TrialRecord


class LaneRow(TypedDict):
    """One trial on its lane; ``begin`` and ``end`` in seconds since the first trial began, by a wall clock."""

    id: str
    source: str
    state: str
    lane: int
    begin: float
    end: float


def lane_rows(records: Sequence[TrialRecord]) -> list[LaneRow]:
    """Put every trial that ran onto the first lane that was free; there are as many lanes as ran at a time."""
    ran = [r for r in records if r.started_at is not None and r.finished_at is not None]
    spans = sorted((r.started_at or 0.0, r.finished_at or 0.0, r.id) for r in ran)
    by_id = {record.id: record for record in ran}
    free: list[float] = []  # until when each lane is taken
    rows = []
    for begin, end, name in spans:
        lane = next((at for at, until in enumerate(free) if until <= begin), len(free))
        free[lane : lane + 1] = [end]
        record = by_id[name]
        start = spans[0][0]
        rows.append(
            LaneRow(
                id=name,
                source=record.candidate.source,
                state=record.status,
                lane=lane,
                begin=begin - start,
                end=end - start,
            )
        )
    return rows

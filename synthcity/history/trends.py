"""How the best proven lead of one competition moved over time.

Only leads that were proven count as a best; runs on a simulated market are a trend of their own. Scores belong to the
prompts they were made on, so a running best score is that of the run with the best lead, and not the lowest seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from synthcity.history.row import PROVEN, Lead, Row


@dataclass(frozen=True)
class Point:
    """One finished run with its lead, and the run with the best proven lead up to it, None before there is one."""

    row: Row
    lead: Lead
    best: Row | None


@dataclass(frozen=True, kw_only=True)
class Trend:
    """Finished runs of one competition and kind of market, oldest first; ``left_out`` counts those of others."""

    competition: str
    is_simulated: bool
    points: tuple[Point, ...]
    left_out: int

    @property
    def best(self) -> Row | None:
        """The run with the best proven lead."""
        return self.points[-1].best if self.points else None

    @property
    def improvement(self) -> float | None:
        """Points of percent by which the best proven lead exceeds the first one; None where none is proven."""
        proven = [point.lead.mean for point in self.points if point.row.verdict == PROVEN]
        return proven[0] - min(proven) if proven else None


def trend(rows: Sequence[Row], competition: str | None = None) -> Trend:
    """Follow one competition, by default that of the newest finished run; real markets, where there are any."""
    finished = sorted((row for row in rows if row.lead is not None), key=lambda row: (row.began, row.id))
    if competition is None and finished:
        competition = finished[-1].competition
    own = [row for row in finished if row.competition == competition]
    is_simulated = bool(own) and all(row.is_simulated for row in own)
    points: list[Point] = []
    best: Row | None = None
    for row in own:
        if row.is_simulated != is_simulated or row.lead is None:
            continue
        if row.verdict == PROVEN and (best is None or best.lead is None or row.lead.mean < best.lead.mean):
            best = row
        points.append(Point(row, row.lead, best))
    return Trend(
        competition=competition or "",
        is_simulated=is_simulated,
        points=tuple(points),
        left_out=len(finished) - len(points),
    )

"""Rows of a source in an order, with what of it could not be read, counted by reason."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from synthcity.history.row import PROVEN, Row

BEST, RECENT, WORST = "best", "recent", "worst"
DAMAGED, FOREIGN, NEWER = "damaged", "foreign", "of a newer synthcity"


@dataclass(frozen=True, kw_only=True)
class Listing:
    """What one source holds: ``rows``, and how many entries are none by why: DAMAGED, FOREIGN or NEWER."""

    source: str
    rows: tuple[Row, ...]
    left_out: Mapping[str, int] = field(default_factory=dict)

    def of(self, competition: str | None) -> Listing:
        """Return the runs of one competition alone; of all for None."""
        rows = (row for row in self.rows if competition is None or row.competition == competition)
        return replace(self, rows=tuple(rows))

    def ordered(self, order: str) -> tuple[Row, ...]:
        """Return the rows newest first, or best first, or that the other way round.

        Best are those proven on real prices by their lead, then those not proven by theirs; runs on a simulated market
        come after all of them, and where there is no lead, that comes last, also among the worst.
        """
        recent = sorted(self.rows, key=lambda row: (-row.began, row.id))
        if order == RECENT:
            return tuple(recent)
        if order == BEST:
            return tuple(sorted(recent, key=lambda row: (row.lead is None, *_rank(row))))
        worst = sorted(recent, key=_rank, reverse=True)
        return tuple(sorted(worst, key=lambda row: row.lead is None))


def gather(source: str, entries: Iterable[Row | str]) -> Listing:
    """Make a listing of rows, among which stands why an entry is none."""
    rows: list[Row] = []
    left_out: Counter[str] = Counter()
    for found in entries:
        if isinstance(found, Row):
            rows.append(found)
        else:
            left_out[found] += 1
    return Listing(source=source, rows=tuple(rows), left_out=dict(left_out))


def _rank(row: Row) -> tuple[bool, bool, float]:
    return row.is_simulated, row.verdict != PROVEN, row.lead.mean if row.lead else math.inf

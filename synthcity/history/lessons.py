"""What past runs may teach a search: those whose periods all ended before its test period begins.

A run that was trained, chosen or tested on prices of this search's test period knows them, and whoever reads its lead
learns of them too; it is counted and never told.
"""

from __future__ import annotations

from collections.abc import Iterable

from synthcity.errors import ConfigError
from synthcity.history.row import PROVEN, Row
from synthcity.market.times import parse_time
from synthcity.wording import bounds, percent


def lessons(rows: Iterable[Row], *, competition: str, is_simulated: bool, before: int, most: int = 5) -> list[str]:
    """Return a line for each of the newest finished runs of one competition and kind of market.

    Args:
        rows: of any source.
        competition: of this search.
        is_simulated: whether its prices are.
        before: unix seconds at which its test period begins.
        most: runs that are told.
    """
    alike = [row for row in rows if (row.competition, row.is_simulated) == (competition, is_simulated) and row.lead]
    usable = sorted((row for row in alike if _end(row) <= before), key=lambda row: -row.began)
    lines = [_line(row) for row in usable[:most]]
    if len(usable) < len(alike):
        lines.append(f"({len(alike) - len(usable)} more know prices of this search's test period and are not told)")
    return lines


def _line(row: Row) -> str:
    assert row.lead is not None
    verdict = "proven" if row.verdict == PROVEN else "not proven"
    lead = f"{percent(row.lead.mean)} against {row.lead.against} ({bounds(row.lead.low, row.lead.high)}), {verdict}"
    return f"{row.id}: {row.trials} trials, {row.winner} was frozen, {lead}"


def _end(row: Row) -> float:
    """Return when the last of its periods ended; never, where that is not told."""
    try:
        return max((parse_time(last) for _, last in row.periods.values()), default=float("inf"))
    except (ConfigError, ValueError):
        return float("inf")

"""What a listing says: cells of a table, plain data for JSON, and a plot of text."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from synthcity.history.listing import Listing
from synthcity.history.row import PERIODS, Row, printable
from synthcity.history.trends import Trend
from synthcity.wording import bounds, percent

COLUMNS = ("run", "began", "competition", "lead", "95 % interval", "verdict", "trials", "USD", "test period")
RIGHT = ("trials", "USD")
_WIDTH, _HEIGHT = 66, 12  # of the plot, which with its axis stays within 80 columns


def cells(row: Row) -> tuple[str, ...]:
    """Return one line of the table."""
    verdict = row.verdict + (", SIMULATED" if row.is_simulated else "")
    verdict += ", goes on" if row.is_open and row.lead else ""
    return (
        printable(row.id if row.name in ("", row.id) else f"{row.id} ({row.name})"),
        _day(row.began),
        row.competition or "-",
        f"{percent(row.lead.mean)} over {row.lead.against}" if row.lead else "-",
        bounds(row.lead.low, row.lead.high) if row.lead else "-",
        verdict,
        str(row.trials),
        f"{row.usd:.2f}" if row.usd else "-",
        " to ".join(row.periods["test"]) if "test" in row.periods else "-",
    )


def plain_row(row: Row) -> dict[str, object]:
    """Return one run as JSON has it; ``crps`` is the mean score of its best candidate on its own test prompts."""
    return {
        "id": row.id,
        "name": row.name,
        "created_at": moment(row.began),
        "competition": row.competition,
        "periods": {name: list(row.periods[name]) for name in PERIODS if name in row.periods},
        "crps": row.score,
        "lead": None if row.lead is None else vars(row.lead),
        "verdict": row.verdict,
        "winner": row.winner,
        "trials": row.trials,
        "cost_usd": row.usd,
        "gpu_hours": row.gpu_hours,
        "usd_per_tenth": row.usd_per_tenth,
        "simulated": row.is_simulated,
        "open": row.is_open,
    }


def plain_listing(listing: Listing, order: str, shown: Sequence[Row]) -> dict[str, object]:
    """Return a listing of which ``shown`` is told."""
    return {
        "source": listing.source,
        "total": len(listing.rows),
        "order": order,
        "runs": [plain_row(row) for row in shown],
        "left_out": dict(listing.left_out),
    }


def plain_trend(listing: Listing, found: Trend) -> dict[str, object]:
    """Return a trend; ``improvement`` is in points of percent."""
    best = found.best
    last = found.points[-1].row if found.points else None
    return {
        "source": listing.source,
        "competition": found.competition,
        "simulated": found.is_simulated,
        "total_runs": len(found.points),
        "timeline": [
            {
                **plain_row(point.row),
                "running_best_lead": point.best.lead.mean if point.best and point.best.lead else None,
                "running_best_crps": point.best.score if point.best else None,
            }
            for point in found.points
        ],
        "best_run": None if best is None else best.id,
        "best_lead": best.lead.mean if best and best.lead else None,
        "best_crps": None if best is None else best.score,
        "latest_crps": None if last is None else last.score,
        "improvement": found.improvement,
        "left_out": {"other competitions or markets": found.left_out, **listing.left_out},
    }


def plot(found: Trend) -> str:
    """Draw leads by run, oldest first: ``*`` one that was proven, ``o`` one that was not, ``-`` the best proven so far.

    Runs beyond the width share a column; better is lower, as everywhere.
    """
    means = [point.lead.mean for point in found.points]
    if not means:
        return ""
    low, high = min([*means, 0.0]), max([*means, 0.0])
    span = (high - low) or 1.0
    width = min(_WIDTH, len(means))
    grid = [[" "] * width for _ in range(_HEIGHT)]

    def line(value: float) -> int:
        return round((high - value) / span * (_HEIGHT - 1))

    for at, point in enumerate(found.points):
        if point.best is not None and point.best.lead is not None:
            grid[line(point.best.lead.mean)][at * width // len(means)] = "-"
    for at, point in enumerate(found.points):
        cell = grid[line(point.lead.mean)]
        column = at * width // len(means)
        if cell[column] != "*":
            cell[column] = "*" if point.row.verdict == "proven" else "o"
    labels = {0: percent(high), line(0.0): percent(0.0), _HEIGHT - 1: percent(low)}
    drawn = [f"{labels.get(at, ''):>10} |{''.join(cell).rstrip()}" for at, cell in enumerate(grid)]
    first, last = (_day(found.points[at].row.began) for at in (0, -1))
    axis = f"{'':>10} +{'-' * max(width, 24)}"
    ends = first if first == last else f"{first}{last:>{max(width, 24) - len(first)}}"
    return "\n".join([*drawn, axis, f"{'':>10}  {ends}"])


def moment(seconds: float) -> str:
    """Return a time as ISO 8601 has it, in UTC."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%d %H:%M")

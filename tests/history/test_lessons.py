"""What past runs may teach a search."""

from __future__ import annotations

from typing import Any

from synthcity.history.lessons import lessons
from synthcity.market.times import parse_time
from tests.history.builders import row

TEST = parse_time("2026-01-01")


def periods(end: str) -> dict[str, Any]:
    return {"train": ("2025-01-01", "2025-08-01"), "test": ("2025-11-01", end)}


def told(*rows: Any, is_simulated: bool = False) -> list[str]:
    return lessons(rows, competition="crypto-24h", is_simulated=is_simulated, before=TEST)


def test_the_newest_finished_runs_are_told_with_their_leads() -> None:
    rows = [row(f"r{day}", -0.5, day=day, periods=periods("2026-01-01"), winner="mix", trials=9) for day in range(8)]
    lines = told(*rows)
    assert lines[0] == "r7: 9 trials, mix was frozen, −0.50 % against fhs (−0.75 to −0.25 %), proven"
    assert len(lines) == 5


def test_a_run_that_knows_the_test_period_is_counted_and_never_told() -> None:
    late = row("late", -9.0, periods=periods("2026-01-02"))
    unknown = row("unknown", -9.0)
    garbled = row("garbled", -9.0, periods=periods("soon"))
    assert told(late, unknown, garbled) == ["(3 more know prices of this search's test period and are not told)"]


def test_other_competitions_markets_and_unfinished_runs_teach_nothing() -> None:
    known = {"periods": periods("2025-12-01")}
    others = (
        row("hour", competition="crypto-1h", **known),
        row("made-up", is_simulated=True, **known),
        row("open", None, **known),
    )
    assert told(*others) == []
    assert len(told(*others, is_simulated=True)) == 1

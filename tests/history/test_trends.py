"""How the best proven lead moved."""

from __future__ import annotations

from synthcity.history.trends import trend
from tests.history.builders import row

ROWS = [
    row("a", -0.3, day=1, score=5000.0),
    row("b", -2.0, day=2, proven=False, score=4000.0),
    row("c", -0.2, day=3, score=4900.0),
    row("d", -0.8, day=4, score=5100.0),
    row("open", None, day=5),
]


def test_only_what_is_proven_is_a_best() -> None:
    found = trend(ROWS[::-1])
    assert [point.row.id for point in found.points] == ["a", "b", "c", "d"]
    assert [point.best.id if point.best else None for point in found.points] == ["a", "a", "a", "d"]
    assert found.best is ROWS[3]
    assert found.improvement is not None
    assert round(found.improvement, 9) == 0.5


def test_one_competition_and_one_kind_of_market() -> None:
    others = [row("other", -9.0, day=9, competition="crypto-1h"), row("made-up", -40.0, day=3, is_simulated=True)]
    found = trend([*ROWS, *others], "crypto-24h")
    assert (found.competition, len(found.points), found.left_out) == ("crypto-24h", 4, 2)
    assert trend([*ROWS, *others]).competition == "crypto-1h"
    simulated = trend(others[1:])
    assert (simulated.is_simulated, simulated.best) == (True, others[1])


def test_nothing_proven_is_no_best_and_no_runs_no_trend() -> None:
    assert trend(ROWS[1:2]).best is None
    assert trend(ROWS[1:2]).improvement is None
    assert trend([]).points == ()
    assert trend([]).best is None

from __future__ import annotations

import io
from dataclasses import replace

from rich.console import Console

from synthcity.serve.answering import metrics as kinds
from synthcity.serve.answering.tally import Tally, together
from synthcity.serve.board import Board
from synthcity.serve.operations.view import View
from tests.serve.dialogue import NOW
from tests.serve.operations.look import LABELS, well

FULL = {"answers": ("the disk is full [sic]",)}


def _tally() -> Tally:
    tally = Tally()
    for fallback in ("none", "late", "none"):
        tally.record(kinds.ANSWERS, LABELS | {"fallback": fallback})
    for seconds in (0.01, 0.02, 0.5):
        tally.record(kinds.LATENCY, LABELS, seconds)
    tally.record(kinds.REFUSALS, {"route": "Simulation", "asset": "", "status": "403", "reason": "stake"})
    return tally


def _view(**changes: object) -> View:
    status = together([replace(_tally().status(), last_answered_at=NOW)])
    return View.of(well(**{"title": "winner", "status": status, "ages": {"BTC": 40.0, "ETH": 120.0}, **changes}))


def test_replicas_are_added_up():
    status = together([_tally().status(), _tally().status()])
    assert (status.answered, status.fallbacks, status.refused) == ({"BTC": 6}, {"BTC": 2}, {"": 2})
    assert status.latency == (0.02, 0.5)


def test_plain_lines_where_there_is_no_terminal():
    file = io.StringIO()
    with Board(Console(file=file), every_seconds=3600) as board:
        board.show(_view())
        board.show(_view())
        board.show(_view(troubles=FULL))
        board.show(_view(troubles=FULL))
    first, second, note = file.getvalue().splitlines()
    told = "3 answered, 1 refused, 1 by the fallback; oldest price ETH 2m; latency 20 ms, at worst 500 ms"
    assert f"  {told}; 3 settled, 2 pending" in first
    assert told in second
    assert note == "  warning: the disk is full [sic]"


def test_a_table_on_a_terminal():
    file = io.StringIO()
    with Board(Console(file=file, force_terminal=True, width=100, color_system=None)) as board:
        board.show(_view(troubles=FULL))
    text = file.getvalue()
    *_, row = [line for line in text.splitlines() if line.strip().startswith("BTC")]  # drawn again at the end
    assert row.split() == ["BTC", "3", "0", "1", "40s", "512.3"]
    assert "before asked" in text
    assert "the disk is full" in text

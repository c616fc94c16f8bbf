"""Rows in an order, and what could not be read."""

from __future__ import annotations

from synthcity.history.listing import BEST, DAMAGED, RECENT, WORST, Listing, gather
from tests.history.builders import row

ROWS = (
    row("none", None, proven=False, day=9),
    row("weak", -0.1, day=1),
    row("strong", -0.9, day=2),
    row("lucky", -3.0, proven=False, day=3),
    row("bad", 2.0, proven=False, day=4),
    row("made-up", -40.0, day=5, is_simulated=True),
)


def ids(order: str) -> list[str]:
    return [found.id for found in Listing(source="local", rows=ROWS).ordered(order)]


def test_the_best_are_proven_on_real_prices() -> None:
    assert ids(BEST) == ["strong", "weak", "lucky", "bad", "made-up", "none"]


def test_the_worst_are_the_best_the_other_way_round_without_those_that_say_nothing() -> None:
    assert ids(WORST) == ["made-up", "bad", "lucky", "weak", "strong", "none"]


def test_the_newest_come_first() -> None:
    assert ids(RECENT) == ["none", "made-up", "bad", "lucky", "strong", "weak"]


def test_one_competition_alone() -> None:
    listing = Listing(source="local", rows=(*ROWS, row("other", competition="crypto-1h")))
    assert [found.id for found in listing.of("crypto-1h").rows] == ["other"]
    assert listing.of(None) == listing


def test_what_is_no_row_is_counted_by_its_reason() -> None:
    found = gather("hub", [ROWS[0], DAMAGED, DAMAGED, "foreign"])
    assert found.rows == ROWS[:1]
    assert found.left_out == {DAMAGED: 2, "foreign": 1}

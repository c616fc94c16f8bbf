from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from synthcity.rent.comparing import SETTLE, compared, ending, match
from synthcity.rent.market import Listing
from synthcity.rent.rental import Rental
from synthcity.rent.replies import Listed
from tests.rent.builders import NAME, limits, node_type, rental
from tests.standins.account import BEGUN

ROW = Listed(
    kind="gpu", name=NAME, id="b7c1", hourly=Decimal("1.35"), billed=Decimal("0.10"), ssh="ssh ubuntu@192.0.2.1"
)
RENTED = rental(state="rented", id="b7c1", hourly=Decimal("1.35"), started=BEGUN, joined=True)


def listing(after: float, problem: str = "") -> Listing:
    return Listing(taken=BEGUN + after, rows=(), problem=problem, skew=None)


def shown(one: Rental, row: Listed, after: float) -> Rental:
    return compared(one, row, listing(after), is_answered=False)


def test_rows_are_found_by_id_and_by_name_and_the_rest_of_ours_are_strangers() -> None:
    other = rental("synthcity-syntha-gpu-00000000000b")
    rows = [
        replace(ROW, name="renamed"),
        replace(ROW, id="new", name=other.name),
        replace(ROW, id="twin", name=other.name),
        replace(ROW, id="c", name="synthcity-syntha-gpu-00000000000c"),
        replace(ROW, id="d", name="synthcity-other-gpu-00000000000d"),
        replace(ROW, id="e", name="somebody"),
    ]
    found = match([RENTED, other], rows, "synthcity-syntha-")
    assert {name: row.id for name, row in found.rows.items()} == {NAME: "b7c1", other.name: "new"}
    assert [row.id for row in found.strangers] == ["twin", "c"]


def test_an_intent_that_a_list_shows_is_rented() -> None:
    found = shown(rental(), ROW, 50)
    assert (found.state, found.id, found.hourly, found.started, found.seen) == (
        "rented", "b7c1", Decimal("1.35"), BEGUN + 50, BEGUN + 50,
    )  # fmt: skip
    assert found.ssh == ROW.ssh


def test_a_price_that_is_not_told_or_falls_stays_what_it_was() -> None:
    for row in (replace(ROW, hourly=None), replace(ROW, hourly=Decimal("0.5"))):
        assert shown(RENTED, row, 1).hourly == Decimal("1.35")
    assert shown(RENTED, replace(ROW, billed=None), 1).billed == 0


def test_what_is_dearer_than_it_may_be_is_stopped() -> None:
    for one in (rental(), RENTED):
        found = shown(one, replace(ROW, hourly=Decimal("1.51")), 1)
        assert found.state == "stopping"
        assert found.why == "it costs 1.51 USD an hour, more than 1.50"


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (rental(), "it was never started"),
        (RENTED, "the market has taken it back"),
        (replace(RENTED, state="stopping", why="idle"), "idle"),
    ],
)
def test_absence_counts_once_it_has_lasted(one: Rental, why: str) -> None:
    for is_answered in (False, True):
        assert compared(one, None, listing(SETTLE), is_answered=is_answered) == one
        not_whole = listing(9999, problem="not whole")
        assert compared(one, None, not_whole, is_answered=is_answered) == one
        assert compared(one, None, listing(601), is_answered=is_answered).state == "gone"
    asked = compared(one, None, listing(SETTLE + 1), is_answered=False)
    assert (asked.state, asked.why, asked.ended) == ("stopping", why, None)  # lists alone may err
    gone = compared(asked, None, listing(SETTLE + 1), is_answered=True)
    assert (gone.state, gone.why, gone.ended) == ("gone", why, BEGUN + SETTLE + 1)
    again = shown(gone, ROW, SETTLE + 20)
    assert (again.state, again.ended) == ("stopping", None)
    assert compared(gone, None, listing(9999), is_answered=False) == gone


def test_what_must_end_by_lease_boot_type_money() -> None:
    types = {"gpu": node_type(boot=600.0, max_lease=3600.0)}
    waiting = replace(RENTED, name="w", joined=False)
    assert ending([RENTED, waiting], types, limits(), Decimal(1), BEGUN + 600) == {}
    assert ending([RENTED, waiting], types, limits(), Decimal(1), BEGUN + 601) == {
        "w": "it has not joined the cluster within 10m"
    }
    found = ending([RENTED], types, limits(), Decimal(1), BEGUN + 3601)
    assert found == {NAME: "its lease of 1h is over"}
    assert ending([RENTED], {}, limits(), Decimal(1), BEGUN)[NAME] == "the cluster has no node type 'gpu' any more"
    assert "60.00 USD of 60" in ending([RENTED], types, limits(), Decimal(60), BEGUN)[NAME]
    assert ending([replace(RENTED, state="stopping")], types, limits(), Decimal(60), BEGUN) == {}
    secret = replace(RENTED, hourly=None)
    assert ending([secret], types, limits(), Decimal(1), BEGUN + 600) == {}
    assert "not told what it costs" in ending([secret], types, limits(), Decimal(1), BEGUN + 601)[NAME]


def test_above_the_hourly_limit_the_newest_goes() -> None:
    rentals = [replace(RENTED, name=f"r{at}", asked=BEGUN + at) for at in range(3)]
    assert list(ending(rentals[::-1], {"gpu": node_type()}, limits(hourly="3"), Decimal(1), BEGUN)) == ["r2"]

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from synthcity.errors import RunError
from synthcity.rent.books import Books
from synthcity.rent.ledger import Ledger, read_ledger
from tests.rent.builders import NAME, rental
from tests.standins.account import BEGUN

HOUR = 3600.0
OTHER = "synthcity-syntha-gpu-00000000000b"


def opened(folder: Path, now: float = BEGUN) -> Books:
    return Books(folder / "rentals.jsonl", lambda: now)


def test_what_changes_is_written_and_what_is_only_seen_is_not(tmp_path: Path) -> None:
    books = opened(tmp_path)
    books.begin(rental())
    books.put(replace(rental(), seen=BEGUN + 9, billed=Decimal(1)))
    assert len(books.path.read_bytes().splitlines()) == 1
    books.put(replace(books[NAME], state="rented"))
    books.end(NAME, "it is idle")
    books.end(NAME, "told again")
    books.close()
    (row,) = read_ledger(books.path).rentals
    assert (row.state, row.why, row.billed) == ("stopping", "it is idle", Decimal(1))


def test_absence_counts_from_the_start_and_a_clock_set_back_is_no_time_to_come(tmp_path: Path) -> None:
    books = opened(tmp_path)
    books.begin(rental(started=BEGUN))
    books.close()
    for now, asked in ((BEGUN + 500, BEGUN), (BEGUN - 500, BEGUN - 500)):
        books = opened(tmp_path, now)
        assert (books[NAME].asked, books[NAME].started, books[NAME].seen) == (asked, asked, now)
        books.close()


def test_what_is_open_and_what_is_spent(tmp_path: Path) -> None:
    books = opened(tmp_path, BEGUN + HOUR)
    books.begin(rental(hourly=Decimal(1), started=BEGUN))
    books.begin(rental(OTHER, state="gone", started=BEGUN, ended=BEGUN + 2 * HOUR))
    assert [one.name for one in books.open] == [NAME]
    assert len(books.all) == 2
    assert books.spent == 1 + Decimal("3.00")
    assert NAME in books
    assert "another" not in books
    books.close()


def test_a_full_disk_stops_no_stop_and_is_written_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    books = opened(tmp_path)
    books.begin(rental())

    def full(ledger: Ledger, rental: object) -> None:
        raise RunError("cannot write: no space left on the device")

    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "write", full)
        books.end(NAME, "it is idle")
        with pytest.raises(RunError, match="no space"):
            books.begin(rental(OTHER))
    assert [one.state for one in books.all] == ["stopping"]
    assert read_ledger(books.path).rentals[0].state == "intent"
    books.write()
    books.close()
    assert read_ledger(books.path).rentals[0].state == "stopping"

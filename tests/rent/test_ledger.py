from __future__ import annotations

import json
import os
import resource
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from synthcity.errors import RunError
from synthcity.rent.ledger import Ledger, read_ledger
from tests.rent.builders import rental
from tests.standins.account import BEGUN

ENDED = rental("synthcity-a-b-00000000000a", state="gone", started=BEGUN, ended=BEGUN + 7200, hourly=Decimal(2))


def test_it_is_read_again_and_knows_what_was_spent(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "a.jsonl")
    ledger.write(rental())
    ledger.write(replace(rental(), state="rented", hourly=Decimal("1.2")))
    ledger.write(ENDED)
    ledger.write(replace(ENDED, why="told again"))
    assert ledger.spent == 4
    ledger.close()
    account = read_ledger(tmp_path / "a.jsonl")
    assert [one.state for one in account.rentals] == ["rented", "gone"]
    assert (account.spent, account.problems) == (Decimal(4), ())
    assert read_ledger(tmp_path / "none.jsonl").rentals == ()


def test_one_process_has_it(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "a.jsonl")
    with pytest.raises(RunError, match="another process writes to"):
        Ledger(tmp_path / "a.jsonl")
    ledger.close()
    Ledger(tmp_path / "a.jsonl").close()


def test_a_damaged_line_takes_neither_other_rentals_nor_the_sum(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    ledger = Ledger(path)
    ledger.write(ENDED)
    ledger.write(rental())
    ledger.close()
    first, second = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(first.replace(b'"hourly":"2"', b'"hourly":"1"') + b'{"x": 1}\n' + second + b'{"torn')
    account = read_ledger(path)
    assert [one.name for one in account.rentals] == [rental().name]
    assert account.spent == 4
    assert len(account.problems) == 3
    again = Ledger(path)
    assert again.spent == 4
    again.write(replace(rental(), state="gone", started=BEGUN, ended=BEGUN + 3600, hourly=Decimal(1)))
    assert again.spent == 5
    again.close()


@pytest.mark.parametrize("replaced", [False, True])
def test_what_is_deleted_or_replaced_is_begun_again(tmp_path: Path, replaced: bool) -> None:
    path = tmp_path / "a.jsonl"
    ledger = Ledger(path)
    ledger.write(ENDED)
    path.unlink()
    if replaced:
        path.write_text("")
    ledger.write(rental())
    with pytest.raises(RunError, match="another process"):
        Ledger(path)
    ledger.close()
    account = read_ledger(path)
    assert [one.name for one in account.rentals] == [ENDED.name, rental().name]
    assert account.spent == 4


def test_a_full_disk_leaves_it_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    ledger = Ledger(path)
    ledger.write(ENDED)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (os.path.getsize(path) + 20, before[1]))
    try:
        with pytest.raises(RunError, match="cannot write"):
            ledger.write(rental())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert ledger.rentals == (ENDED,)
    ledger.write(rental())
    ledger.close()
    assert len(read_ledger(path).rentals) == 2
    assert all(json.loads(line)["spent"] == "4.0" for line in path.read_text().splitlines())

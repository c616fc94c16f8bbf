from __future__ import annotations

import json
from decimal import Decimal

import pytest

from synthcity.rent import replies
from synthcity.rent.replies import Undecodable
from tests.standins.account import cpu_offer, gpu_offer


def body(**values: object) -> bytes:
    return json.dumps(values).encode()


def test_the_price_of_an_offer_is_that_of_the_whole_machine() -> None:
    rows = [gpu_offer("a", "NVIDIA A100 80GB", 8, "1.00"), gpu_offer("b", "x", 1, "0.1")]
    rows[1]["gpu_type"] = {"Other": "L40S"}
    eight, other = replies.read_offers(body(nodes=rows), "gpu")
    assert (eight.gpu, eight.hourly, eight.gpu_count) == ("A100", Decimal(8), 8)
    assert (other.gpu, other.hourly) == ("L40S", Decimal("0.1"))
    (cpu,) = replies.read_offers(body(nodes=[cpu_offer("c", "0.12")]), "cpu")
    assert (cpu.gpu, cpu.hourly, cpu.cpus) == ("", Decimal("0.12"), 8)


@pytest.mark.parametrize("rate", ["-1", "NaN", "Infinity", "1,5", None, [], ""])
def test_an_offer_without_a_price_is_none(rate: object) -> None:
    rows = [gpu_offer("a", "A100", 1, rate), gpu_offer("b", "A100", 0, "1"), gpu_offer("c", "A100", 1, "1")]  # type: ignore[arg-type]
    assert [one.id for one in replies.read_offers(body(nodes=rows), "gpu")] == ["c"]


def test_a_damaged_row_hides_no_other_and_the_list_is_not_whole() -> None:
    row = {"name": "n", "rental_id": "r", "hourly_cost": 1.35, "created_at": "2026-11-22T12:00:00Z"}
    found, whole = replies.read_rentals(body(rentals=[row], total_count=1), "gpu")
    assert (found[0].hourly, found[0].created, whole) == (Decimal("1.35"), 1795348800.0, True)
    for rows, total in (([row, 5], 2), ([row, {"status": "x"}], 2), ([row], 2), ([row], "2")):
        found, whole = replies.read_rentals(body(rentals=rows, total_count=total), "gpu")
        assert ([one.name for one in found], whole) == (["n"], False)
    assert replies.read_rentals(body(rentals=[]), "cpu") == ([], True)


def test_fields_that_are_none_are_unknown() -> None:
    row = {"name": "n", "hourly_cost": 0.0, "accumulated_cost": None, "created_at": "yesterday", "gpu_type": "unknown"}
    ((one,), _) = replies.read_rentals(body(rentals=[row], total_count=1), "gpu")
    assert (one.id, one.hourly, one.billed, one.created, one.ssh) == ("", None, None, None, "")
    row |= {"ip_address": "192.0.2.1", "ssh_command": "use our console"}
    ((one,), _) = replies.read_rentals(body(rentals=[row], total_count=1), "gpu")
    assert one.ssh == "ssh ubuntu@192.0.2.1"


@pytest.mark.parametrize("told", [b"", b"<html>", b"[]", b'{"rentals": {}}', b'{"rentals": NaN}', b"[" * 100_000])
def test_something_else_is_told_apart(told: bytes) -> None:
    for read in (
        lambda: replies.read_rentals(told, "gpu"),
        lambda: replies.read_offers(told, "gpu"),
        lambda: replies.read_start(told),
        lambda: replies.read_key(told),
    ):
        with pytest.raises(Undecodable):
            read()


def test_a_start_needs_a_price() -> None:
    told = {"name": "n", "rental_id": "r", "hourly_cost": 1.35}
    assert replies.read_start(body(**told)).hourly == Decimal("1.35")
    for wrong in (-1, 0, "0.00", "x", None, True):
        with pytest.raises(Undecodable):
            replies.read_start(body(**{**told, "hourly_cost": wrong}))


@pytest.mark.parametrize("odd", ["\ud800", "\x1b[2J", "x" * 70_000])
def test_what_can_be_neither_written_nor_shown_nor_asked_for_is_no_text(odd: str) -> None:
    row = {"name": "n", "rental_id": odd, "gpu_type": odd, "ip_address": odd, "status": odd}
    ((one,), whole) = replies.read_rentals(body(rentals=[row], total_count=1), "gpu")
    assert ((one.name, one.id, one.gpu, one.ssh, one.status), whole) == (("n", "", "", "", ""), True)
    assert replies.read_rentals(body(rentals=[{"name": odd}], total_count=1), "gpu") == ([], False)
    with pytest.raises(Undecodable):
        replies.read_start(body(name="n", rental_id=odd, hourly_cost=1))


def test_a_price_beyond_all_reason_breaks_no_sum() -> None:
    row = {"name": "n", "hourly_cost": "9.9e999999", "accumulated_cost": "9.9e999999"}
    ((one,), _) = replies.read_rentals(body(rentals=[row], total_count=1), "gpu")
    assert (one.hourly, one.billed) == (Decimal(1_000_000), Decimal(1_000_000))
    (offer,) = replies.read_offers(body(nodes=[gpu_offer("a", "A100", 8, "9.9e999999")]), "gpu")
    assert offer.hourly == Decimal(8_000_000)


def test_no_key_is_none() -> None:
    assert replies.read_key(b"null") is None

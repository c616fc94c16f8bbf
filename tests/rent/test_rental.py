from __future__ import annotations

from decimal import Decimal

import pytest

from synthcity.errors import DataError
from synthcity.rent.rental import Address, parse_ssh, read_rental, write_rental
from tests.rent.builders import rental
from tests.standins.account import BEGUN


@pytest.mark.parametrize(
    ("command", "address"),
    [
        ("ssh ubuntu@203.0.113.5", Address(user="ubuntu", host="203.0.113.5")),
        ("ssh root@host.example -p 2222", Address(user="root", host="host.example", port=2222)),
        ("ssh -p 2222 root@host.example", Address(user="root", host="host.example", port=2222)),
        ("ssh 203.0.113.5", Address(user="ubuntu", host="203.0.113.5")),
        ("ssh ubuntu@2001:db8::1", Address(user="ubuntu", host="2001:db8::1")),
        ("", None),
        ("ssh -oProxyCommand=id host", None),
        ("ssh ubuntu@-oProxyCommand=id", None),
        ("ssh -l@host", None),
        ("ssh a@b; id", None),
        ("ssh a@b -p 99999", None),
    ],
)
def test_an_address_is_read_and_no_option_of_ssh(command: str, address: Address | None) -> None:
    assert parse_ssh(command) == address
    assert rental(ssh=command).address == address


def test_plain_data_reads_back() -> None:
    one = rental(hourly=Decimal("1.10"), id="b7c1", state="stopping", started=BEGUN, why="it is idle")
    assert read_rental(write_rental(one)) == one
    with pytest.raises(DataError, match="is no rental"):
        read_rental({"name": "x"})


def test_a_cost_is_the_most_it_can_be() -> None:
    hour = BEGUN + 3600
    assert rental().cost(hour) == Decimal("1.50")
    assert rental(hourly=Decimal("1.10")).cost(hour) == Decimal("1.10")
    assert rental(hourly=Decimal("1.10"), billed=Decimal(2)).cost(hour) == 2
    gone = rental(state="gone", started=BEGUN, ended=hour, hourly=Decimal(1))
    assert gone.cost(hour + 9999) == 1
    assert rental(state="gone", ended=hour).cost(hour) == 0
    assert rental(asked=hour).cost(BEGUN) == 0
    assert (rental().worst_hourly, gone.worst_hourly) == (Decimal("1.50"), 0)

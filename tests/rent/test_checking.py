from __future__ import annotations

from pathlib import Path

import pytest

from synthcity.errors import ConfigError
from synthcity.rent import NodeType, Rental, check_market
from tests.rent.builders import NAME, Virtual, market, node_type, rental
from tests.standins.market import Running

STRANGER = "synthcity-syntha-gpu-00000000dead"


def check(server: Running, clock: Virtual, *node_types: NodeType, rentals: tuple[Rental, ...] = ()) -> None:
    with market(server, clock) as found:
        check_market("syntha", node_types or (node_type(),), rentals, found, ledger=Path("rentals.jsonl"))


def test_what_is_right_passes_and_the_market_is_only_read(server: Running, clock: Virtual) -> None:
    server.rent(NAME)
    check(server, clock, rentals=(rental(),))
    assert {line.partition(" ")[0] for line in server.state()["asked"]} == {"GET"}


def test_a_gpu_that_nobody_has_and_a_wrong_clock_are_told(server: Running, clock: Virtual) -> None:
    with pytest.raises(ConfigError, match="unknown GPU 'A1000'"):
        check(server, clock, node_type(gpus=("A1000",)))
    server.set(skew=90)
    with pytest.raises(ConfigError, match="clock of this machine is -90 s off"):
        check(server, clock)


def test_what_another_ledger_has_rented_is_told_and_left_alone(server: Running, clock: Virtual) -> None:
    server.rent(STRANGER)
    with pytest.raises(ConfigError, match=f"cluster 'syntha' .*rentals.jsonl \\({STRANGER}\\)"):
        check(server, clock)
    assert server.names() == [STRANGER]

"""A validator is answered while others hold all the connections they can get, and ask as much as they can."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.serve.siege import ATTACKER, attacking, besieged, withstand

CONNECTIONS, SHARE = 300, 16


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with besieged(tmp_path_factory.mktemp("siege"), most_connections=CONNECTIONS, share=SHARE) as port:
        yield port


@pytest.mark.parametrize(("kind", "count"), [("idle", 2 * CONNECTIONS), ("half", 2 * CONNECTIONS), ("greedy", 40)])
def test_a_validator_is_answered_meanwhile(port: int, kind: str, count: int):
    with attacking(kind, port, count):
        outcome = withstand(port, num_prompts=5)
    assert outcome.statuses == [200] * 5
    assert outcome.longest < 3.0


@pytest.mark.parametrize("kind", ["idle", "half"])
def test_even_one_at_the_attackers_address_is_while_there_are_connections(port: int, kind: str):
    with attacking(kind, port, CONNECTIONS // 3):
        assert withstand(port, num_prompts=3, source=ATTACKER).statuses == [200] * 3

"""The campaign, small; ``python -m tests.rent.campaign`` is the large one."""

from __future__ import annotations

from typing import get_args

import pytest

from tests.rent.campaign import Harm, campaign


def test_a_lessor_that_is_killed_leaks_nothing() -> None:
    outcome = campaign(rentals=3, kills=2)
    assert (outcome.kills, outcome.clusters) == (2, 1)


@pytest.mark.slow
@pytest.mark.parametrize("how", get_args(Harm))
def test_nor_does_one_that_is_killed_often_or_whose_ledger_is_harmed(how: Harm) -> None:
    outcome = campaign(rentals=12, kills=6, how=how)
    assert outcome.kills == 6
    assert outcome.faults > 0

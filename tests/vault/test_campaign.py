"""The campaign in small; ``python -m tests.vault.campaign`` is the whole of it."""

from __future__ import annotations

from tests.vault.campaign import campaign


def test_faults_and_kills_lose_nothing_and_leave_nothing_half() -> None:
    outcome = campaign(pushes=3, kills=1, runs=10, hardest=1)
    assert (outcome.pushes, outcome.listed) == (3, 10)

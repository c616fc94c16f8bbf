from __future__ import annotations

from pathlib import Path

from tests.publish.campaign import campaign


def test_none_is_unproven_half_or_doubled(tmp_path: Path) -> None:
    tally = campaign(publications=1, kills=1, hostile=["edited verdict"], seed=5, folder=tmp_path)
    assert tally.wrong == []
    assert tally.counts["verified"] == 1
    assert tally.counts["lies refused"] == 1

from __future__ import annotations

from pathlib import Path

from tests.pipeline.campaign import campaign


def test_faults_and_kills_double_nothing_and_change_nothing(tmp_path: Path) -> None:
    tally = campaign(rounds=3, kills=4, seed=3, folder=tmp_path)
    assert tally.wrong == []
    assert [tally.counts[name] for name in ("rounds", "proven", "on trial", "killed")] == [3, 1, 1, 4]

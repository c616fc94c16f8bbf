from __future__ import annotations

from pathlib import Path

import pandas as pd

from synthcity.publish.evidence import evidence
from synthcity.publish.gate import Examined
from tests.publish.proven import NAME


def test_what_is_read_is_the_copy(proven: Path) -> None:
    with evidence(proven) as found:
        (proven / "test_scores.parquet").write_bytes(b"edited meanwhile")
        assert isinstance(found.scores, pd.DataFrame)
        assert found.bundle_files[0] == "config.json"
        assert len(found.bundle_hash) == 64
        assert [facts.venues for facts in found.facts] == [("binance",)]


def test_the_report_is_told_again_from_journal_and_scores(examined: Examined) -> None:
    assert examined.proof is not None
    found = examined.proof.evidence
    assert found.rebuilt["verdict"] == found.report["verdict"]
    assert found.rebuilt["verdict"]["challenger"] == NAME
    assert found.rebuilt is not found.report

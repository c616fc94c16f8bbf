from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from synthcity.publish import evidence as module
from synthcity.publish.evidence import evidence
from synthcity.publish.gate import Examined
from synthcity.search.journal.history import TrialHistory
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


@pytest.mark.parametrize(
    ("frozen", "said"), [("fhs", "froze the baseline fhs, so there is nothing"), (NAME, "is of a SIMULATED market")]
)
def test_a_baseline_that_was_frozen_is_the_reason_whatever_the_prices(
    frozen: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "is_simulated", lambda facts: True)
    monkeypatch.setattr(module, "read_facts", lambda folder: ())
    told = {
        "kind": "chosen",
        "name": frozen,
        "challenger": NAME,
        "best_single": NAME,
        "best_baseline": "fhs",
        "why": "",
    }
    assert said in module._without_samples(Path("run"), TrialHistory.replay([{"time": 0.0, **told}]))

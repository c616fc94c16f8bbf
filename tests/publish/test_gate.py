from __future__ import annotations

from pathlib import Path

import pytest

from synthcity.publish.gate import gate
from synthcity.settings import Settings
from tests.publish.hostile import CANARY, HOSTILE

SETTINGS = Settings.load({"HF_TOKEN": CANARY, "HF_REPO_ID": "me/models"})
CHECKS = ["sealed", "real prices", "rules of today", "verdict", "report", "bundle", "scored again", "no secret"]


def test_a_proven_run_passes_every_check(proven: Path) -> None:
    with gate(proven, SETTINGS) as examined:
        assert [(finding.check, finding.reason) for finding in examined.findings] == [(name, "") for name in CHECKS]
        assert examined.proof is not None
        copy = examined.proof.evidence.folder
        assert (copy / "winner/manifest.json").read_bytes() == (proven / "winner/manifest.json").read_bytes()
        assert copy.stat().st_mode & 0o077 == 0
    assert not copy.exists()


@pytest.mark.parametrize("name", HOSTILE)
def test_a_lie_does_not_pass(name: str, proven: Path) -> None:
    lie, said = HOSTILE[name]
    lie(proven)
    with gate(proven, SETTINGS) as examined:
        assert examined.proof is None
        assert said in examined.reason
        assert CANARY not in examined.reason
        assert all(not finding.reason for finding in examined.findings[:-1])


def test_what_is_no_run_is_one_sentence(tmp_path: Path) -> None:
    with gate(tmp_path / "none", SETTINGS) as examined:
        assert examined.reason == f"there is no run in '{tmp_path / 'none'}': it has no journal.jsonl"
    assert not (tmp_path / "none").exists()

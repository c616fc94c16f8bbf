from __future__ import annotations

from pathlib import Path

import pytest

from synthcity.publish.gate import Examined, gate
from synthcity.settings import Settings
from tests.publish.hostile import CANARY, HOSTILE, SOME
from tests.publish.proven import make_run

SETTINGS = Settings.load({"HF_TOKEN": CANARY, "HF_REPO_ID": "me/models"})
CHECKS = [
    "sealed", "real prices", "rules of today", "verdict", "proven", "report", "bundle", "scored again", "no secret",
]  # fmt: skip


def test_a_proven_run_passes_every_check(examined: Examined) -> None:
    assert [(finding.check, finding.reason) for finding in examined.findings] == [(name, "") for name in CHECKS]
    assert examined.proof is not None
    found = examined.proof.evidence
    assert (found.folder / "winner/manifest.json").read_bytes() == (found.run / "winner/manifest.json").read_bytes()
    assert found.folder.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("name", [n if n in SOME else pytest.param(n, marks=pytest.mark.slow) for n in HOSTILE])
def test_a_lie_does_not_pass(name: str, proven: Path) -> None:
    lie, said = HOSTILE[name]
    lie(proven)
    with gate(proven, SETTINGS) as examined:
        assert examined.proof is None
        assert said in examined.reason
        assert CANARY not in examined.reason
        assert all(not finding.reason for finding in examined.findings[:-1])


def test_what_claims_nothing_is_held_to_all_the_rest_and_is_no_proof(proven: Path) -> None:
    with gate(proven, SETTINGS, is_claim=False) as examined:
        assert [finding.check for finding in examined.findings] == [name for name in CHECKS if name != "proven"]
        assert examined.proof is None
        assert examined.sound is not None
    lie, said = HOSTILE[next(iter(SOME))]
    lie(proven)
    with gate(proven, SETTINGS, is_claim=False) as examined:
        assert (examined.sound, said in examined.reason) == (None, True)


@pytest.mark.slow
def test_a_run_of_a_simulated_market_says_so(tmp_path: Path) -> None:
    with gate(make_run(tmp_path / "run", venue="simulated"), SETTINGS) as examined:
        assert "SIMULATED" in examined.reason


def test_what_is_no_run_is_one_sentence(tmp_path: Path) -> None:
    with gate(tmp_path / "none", SETTINGS) as examined:
        assert examined.reason == f"there is no run in '{tmp_path / 'none'}': it has no journal.jsonl"
    assert not (tmp_path / "none").exists()

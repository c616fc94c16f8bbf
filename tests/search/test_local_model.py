"""A search in which only a small real model on this machine proposes; run with ``-m llm``, a quarter of an hour."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.agents.test_local import url  # noqa: F401 - a fixture
from tests.search.test_run import ROOT, SWEEP

SEARCH = {
    **SWEEP["search"],  # type: ignore[dict-item]
    "trials": 3,
    "time_budget": "13m",
    "max_blocks": 1,
    "workers": 1,
    "candidates": ["summary_gbm"],
    "arms": {"llm.structure": {"share": 1.0, "floor": 0.0, "ceiling": 1.0}},
    "llm_ceiling": 1.0,
}
LLM = {"max_tokens": 900, "patience": {"read_seconds": 1500.0, "deadline_seconds": 1800.0}}


@pytest.mark.llm
def test_every_proposal_of_a_real_model_is_trained_or_refused_with_a_reason(url: str, tmp_path: Path) -> None:  # noqa: F811
    sweep = tmp_path / "local.yaml"
    sweep.write_text(yaml.safe_dump({**SWEEP, "search": SEARCH, "llm": LLM, "output": str(tmp_path / "runs")}))
    done = subprocess.run(
        [sys.executable, "-c", "from synthcity.cli.main import main; main()", "search", str(sweep)],
        cwd=ROOT,
        env={**os.environ, "HOME": str(tmp_path), "PYTHONPATH": str(ROOT), "SYNTHCITY_LLM_BASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    events = [json.loads(line) for line in (tmp_path / "runs/local/journal.jsonl").read_text().splitlines()]
    asked = [event for event in events if event["kind"] == "answered"]
    assert asked
    for event in asked:
        assert event["proposals"] or event["error"]
    proposed = sum(len(event["proposals"]) for event in asked)
    trained = [event for event in events if event["kind"] == "candidate" and event["source"] == "llm.structure"]
    refused = [event for event in events if event["kind"] == "rejected" and event["source"] == "llm.structure"]
    assert all(event["reason"] for event in refused)
    assert len(trained) + len(refused) <= proposed

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.worlds import Outcome, main, told
from tests.cli.test_research import SMALL


def outcome(kind: str, kept: int, recovered: float | None, arm: str = "control") -> Outcome:
    return Outcome(seed=0, kind=kind, oracle=-1.0, arm=arm, tests=8, claims=2, kept=kept, recovered=recovered, usd=0.5)


def test_half_of_the_gap_is_found_and_anything_kept_of_nothing_is_false() -> None:
    lines = told(
        [
            outcome("cycle", 1, 0.8),
            outcome("bursts", 1, 0.3),
            outcome("regime", 0, 0.0),
            outcome("none", 1, None),
            outcome("none", 0, None),
            outcome("cycle", 2, 0.9, arm="model"),
        ]
    )
    assert lines[-2] == (
        "control: found 1 of 3; kept something in 1 of 2 worlds of nothing; 3 of 10 claims replicated; 2.50 USD"
    )
    assert lines[-1].startswith("model: found 1 of 1; kept something in 0 of 0")


def test_a_small_campaign_runs_and_is_not_run_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In world 4 one asset would lead others, and is alone: its truth gains nothing and ends no research."""
    settings = [word for setting in (*SMALL, "trials=1") for word in ("--set", setting)]
    cut_off = tmp_path / "world-4" / "labbook.jsonl"
    cut_off.parent.mkdir()
    cut_off.write_text("{}\n")
    arguments = ["--worlds", "1", "--first", "4", "--rounds", "1", "--output", str(tmp_path), *settings]
    main(arguments)
    first = capsys.readouterr().out
    assert "worlds of nothing" in first
    assert "lead-lag   +0.000" in first
    assert (tmp_path / "world-4-cut-off-1" / "labbook.jsonl").read_text() == "{}\n"
    result = tmp_path / "world-4" / "result.json"
    before = result.stat().st_mtime_ns
    main(arguments)
    assert capsys.readouterr().out == first
    assert result.stat().st_mtime_ns == before

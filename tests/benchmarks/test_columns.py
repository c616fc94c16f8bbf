"""The recipe that knows a planted truth, and a file of worlds that is not computed again."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks import columns
from benchmarks.columns import ASSETS, knowing, told
from synthcity.research.worlds.truths import TRUTHS
from synthcity.research.worlds.world import draw_world

ROW = {
    "kind": "cycle",
    "seed": 900,
    "preset": "summary_flow",
    "steps": 400,
    "copies": 2,
    "prompts": 183,
    "leads": {"inputs against plain": [-1.0, -2.0, 0.5]},
}


@pytest.mark.parametrize("kind", ["cycle", "bursts", "lead-lag"])
def test_the_recipe_of_a_truth_goes_with_what_was_planted(kind: str) -> None:
    world = draw_world(5, ASSETS, "2025-01-01", 30, kind=kind)
    recipe, known = knowing(world.oracle.truth), world.known
    rows = np.arange(len(known) // 2, len(known) - 300, 700)
    ends = known.times[rows][:, None] + known.step * np.arange(1, 289)
    said, truth = (one.future(known, rows, ends) for one in (recipe, world.oracle))
    for asset in range(len(ASSETS)):
        x = np.concatenate([said[:, asset].reshape(-1, said.shape[-1]), np.ones((ends.size, 1))], axis=1)
        y = truth[:, asset].ravel()
        if y.any():
            rest = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
            assert rest.var() < 0.3 * y.var()


@pytest.mark.parametrize("kind", ["schedule", "regime", "none"])
def test_what_reads_a_series_or_nothing_has_no_recipe(kind: str) -> None:
    truth = TRUTHS[kind].draw(np.random.default_rng(0), ASSETS)
    with pytest.raises(ValueError, match=f"a {kind} is no truth that a search could be told of"):
        knowing(truth)


def test_a_world_that_is_there_is_not_computed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[tuple[str, int]] = []

    def compared(kind: str, seed: int, training: columns.Training) -> dict[str, object]:
        asked.append((kind, seed))
        return {**ROW, "kind": kind, "seed": seed}

    monkeypatch.setattr(columns, "compared", compared)
    path = tmp_path / "columns.jsonl"
    path.write_text(json.dumps(ROW) + "\n")
    for _ in range(2):
        columns.main(["--kinds", "cycle,bursts", "--worlds", "2", "--output", str(path)])
    assert asked == [("bursts", 900), ("cycle", 901), ("bursts", 901)]
    assert "world 901, bursts" in capsys.readouterr().out
    assert told(ROW).splitlines() == [
        "world 900, cycle, summary_flow of 400 steps, 183 prompts:",
        "  inputs against plain: -1.000 % (-2.00 to 0.50)",
    ]

"""The parts of ``benchmarks/proposers.py`` that need no table from outside."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.proposers import Run, StandIn, curve, drive, fill, holm, methods, read
from benchmarks.tables import Table
from synthcity.search.journal.history import TrialHistory
from synthcity.search.proposers import TPEProposer

GRID = {"op": ["a", "b", "c"], "width": [16, 32, 64, 128], "rate": [1e-4, 1e-3, 1e-2, 1e-1]}


@pytest.fixture
def table() -> Table:
    rng = np.random.default_rng(0)
    return Table("made/up", GRID, rng.normal(size=(48, 1)) + rng.normal(scale=0.1, size=(48, 3)), np.full(48, 10.0))


def test_rows_and_configs_are_one_to_one(table: Table) -> None:
    assert [table.row(table.config(row)) for row in range(48)] == list(range(48))
    assert table.config(47) == {"blocks": [], "head": {"name": "table"}, "op": "c", "width": 3, "rate": 3}
    flat = table.space.flatten(table.config(5))
    assert {name: flat[name] for name in GRID} == {"op": "a", "width": 1, "rate": 1}


def test_regret_is_0_for_the_best_and_1_for_the_median(table: Table) -> None:
    regret = table.regret()
    assert regret.min() == 0.0
    assert np.median(regret) == pytest.approx(1.0)
    assert int(regret.argmin()) == int(table.scores.mean(axis=1).argmin())


@pytest.mark.parametrize("method", ["random", "refine", "tpe", "gp", "portfolio", "portfolio+good", "portfolio+bad"])
def test_every_method_starts_alike_and_repeats_exactly(table: Table, method: str) -> None:
    runs = [drive(table, methods(table)[name](), seed=3, trials=24) for name in (method, method, "random")]
    hashes = [[record.candidate.hash for record in run.records] for run in runs]
    assert hashes[0] == hashes[1]
    assert len(set(hashes[0])) == len(hashes[0]) > 15  # TPE runs out of new networks on a table as small as this
    assert hashes[0][:10] == hashes[2][:10]
    shared = {r.candidate.hash: r.score for r in runs[2].records}
    assert all(shared.get(r.candidate.hash, r.score) == r.score for r in runs[0].records)


def test_tpe_told_only_what_is_new_proposes_what_the_project_s_does(table: Table) -> None:
    told = methods(table)["tpe"]()["tpe"]
    ordered, rebuilt = (drive(table, {"tpe": tpe}, 1, 24) for tpe in (told, TPEProposer(table.space)))
    assert ordered.trials == rebuilt.trials
    assert ordered.rejections == rebuilt.rejections


def test_optuna_s_gaussian_process_is_told_what_the_project_s_is(table: Table) -> None:
    found = drive(table, methods(table)["optuna.gp"](), seed=0, trials=12)
    assert [record.candidate.source for record in found.records] == ["start"] * 10 + ["optuna.gp"] * 2
    assert len({record.candidate.hash for record in found.records}) == 12


def test_stand_ins_know_the_best_or_the_worst(table: Table) -> None:
    regret, rng = table.regret(), np.random.default_rng(0)
    for best, extreme in ((True, regret.min()), (False, regret.max())):
        always = StandIn("llm.x", table, best=best, part=1.0).propose(3, TrialHistory(), rng)
        assert {regret[table.row(proposal.config)] for proposal in always} == {extreme}
    half = StandIn("llm.x", table, best=True, part=0.5).propose(200, TrialHistory(), rng)
    assert 80 < sum(regret[table.row(proposal.config)] == 0.0 for proposal in half) < 130


def test_the_curve_judges_what_was_chosen_by_all_repeats(table: Table) -> None:
    history = drive(table, methods(table)["random"](), seed=0, trials=12)
    found = curve(table, history, trials=14)
    best = min(history.records, key=lambda record: record.score or 0.0)
    assert len(found) == 14
    assert found[-1] == found[11] == table.regret()[table.row(best.candidate.config)]


def test_holm() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == []


def test_a_torn_line_is_run_again(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    whole = '{"table":"a/b","method":"tpe","seed":0,"regret":[0.5],"given":{"tpe":1},"refused":0}\n'
    path.write_text(whole + whole[:40], encoding="utf-8")
    fill(path, {}, [], seeds=1)
    assert path.read_text(encoding="utf-8").count("\n") == 1
    assert read(path) == [Run(table="a/b", method="tpe", seed=0, regret=[0.5], given={"tpe": 1}, refused=0)]

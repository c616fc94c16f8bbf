from __future__ import annotations

from pathlib import Path

from synthcity.research.bench import Bench
from synthcity.research.labbook import LabBook, Origin
from synthcity.research.measuring.trial import Judge
from tests.research.conftest import FOLDS, Wave, examiner_of


def test_the_best_come_first_and_what_costs_or_breaks_is_none_of_them(swinging: Judge, tmp_path: Path) -> None:
    with LabBook(tmp_path) as book:
        bench = Bench("control", examiner_of(swinging), FOLDS, book)
        inputs = [
            Wave(name="other", hours=9.3),
            Wave(),
            Wave(name="half", hours=3.5),
            Wave(name="seer", foresight=True),
        ]
        for one in inputs:
            bench.test(one, Origin(recipe={}), round=1)
    assert bench.best[0].candidate is inputs[1]
    assert all(found.entry.mean < 0 for found in bench.best)
    assert "seer" not in [found.entry.name for found in bench.found]
    assert len(bench.found) == 3

from __future__ import annotations

from pathlib import Path

from synthcity.research.bench import Bench
from synthcity.research.control.arm import run_round
from synthcity.research.control.grammar import Grammar
from synthcity.research.labbook import Decided, LabBook, Tried
from synthcity.research.measuring.trial import Judge
from tests.research.conftest import FOLDS, examiner_of


def test_a_round_tests_so_many_and_decides_on_each(still: Judge, tmp_path: Path) -> None:
    with LabBook(tmp_path) as book:
        bench = Bench("control", examiner_of(still), FOLDS, book)
        run_round(bench, Grammar(still.known, 0), 1, 3, lambda: False)
        assert [entry.name for entry in book.of(Tried)] == [entry.name for entry in book.of(Decided)]
        assert len(book.of(Tried)) == 3
        for entry, made in zip(book.of(Tried), book.of(Decided), strict=True):
            assert (made.decision == "keep") == entry.promising
            assert made.reason
        run_round(bench, Grammar(still.known, 0), 2, 3, lambda: True)
        assert len(book.of(Tried)) == 3

"""Inputs are compared beside inputs, and forecasters beside forecasters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from synthcity.authored.forecaster import AuthoredForecaster, ForecasterSource
from synthcity.research.examiner import Examiner
from tests.research.conftest import FOLDS, SWING, Wave


class Spy:
    """In place of a judge or a contest: keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[list[str], list[str]]] = []
        self.forgotten: list[object] = []

    def test(self, tested: Sequence[Any], folds: object, *, beside: Sequence[Any], confidence: float) -> None:
        self.asked.append(([one.name for one in tested], [one.name for one in beside]))

    def forget(self, one: object) -> None:
        self.forgotten.append(one)


def test_each_kind_is_tested_by_its_own_measure_beside_its_own_kind() -> None:
    judge, contest = Spy(), Spy()
    examiner = Examiner(judge, contest)  # type: ignore[arg-type]
    swing, wave = AuthoredForecaster(ForecasterSource.of(SWING)), Wave()
    examiner.test(swing, FOLDS.finding, beside=[wave, swing])
    examiner.test(wave, FOLDS.finding, beside=[wave, swing])
    examiner.forget(swing)
    assert (judge.asked, contest.asked) == ([(["wave"], ["wave"])], [(["swing"], ["swing"])])
    assert (judge.forgotten, contest.forgotten) == ([], [swing])

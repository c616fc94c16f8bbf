"""The bench of one arm: candidates are tested and written down here, and the best of them are kept at hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from synthcity.errors import TrialFailed
from synthcity.research.config import FoldsConfig
from synthcity.research.examiner import Candidate, Examiner
from synthcity.research.labbook import LabBook, Origin, Tried, tried

_BEST = 5


@dataclass(frozen=True, kw_only=True)
class Found:
    """An input or a forecaster with what its test said."""

    candidate: Candidate
    entry: Tried


class Bench:
    """Tests on the folds for finding; the confirming fold cannot be reached from here."""

    def __init__(self, arm: str, examiner: Examiner, folds: FoldsConfig, book: LabBook) -> None:
        self.arm, self.examiner, self.book = arm, examiner, book
        self._folds = folds.finding
        self.found: list[Found] = []

    @property
    def best(self) -> list[Found]:
        """The few with the largest gain, promising or not, best first."""
        gained = [found for found in self.found if found.entry.mean < 0]
        return sorted(gained, key=lambda found: found.entry.mean)[:_BEST]

    def test(self, one: Candidate, origin: Origin, *, round: int, hypothesis: str = "") -> Tried:
        """Test a candidate and write down what came of it; what breaks its contract is written down, too.

        What an earlier session of the research has tested in this round is not tested again.
        """
        entry = self.book.told(Tried, arm=self.arm, round=round, origin=origin) or self._tested(
            one, origin, round, hypothesis
        )
        self.book.add(entry)
        self._keep(one, entry)
        return entry

    def admit(self, one: Candidate) -> None:
        """Ask a candidate about a few prompts of the first fold, which is no test; raises as ``Examiner.admit``."""
        self.examiner.admit(one, next(iter(self._folds.values())))

    def restore(self, open_again: Callable[[Origin], Candidate]) -> None:
        """Put everything on the bench that the lab book holds of this arm, as it was when finding was over."""
        for entry in self.book.of(Tried, self.arm):
            self._keep(open_again(entry.origin), entry)

    def _keep(self, one: Candidate, entry: Tried) -> None:
        if not entry.refused:
            self.found.append(Found(candidate=one, entry=entry))

    def _tested(self, one: Candidate, origin: Origin, round: int, hypothesis: str) -> Tried:
        try:
            tested = self.examiner.test(one, self._folds)
            return tried(tested, arm=self.arm, round=round, hypothesis=hypothesis, origin=origin)
        except TrialFailed as error:
            return Tried(
                arm=self.arm,
                round=round,
                name=one.name,
                hypothesis=hypothesis,
                origin=origin,
                refused=str(error),
            )
        finally:
            self.examiner.forget(one)

"""The bench of one arm: its inputs are tested and written down here, and the best of them are kept at hand."""

from __future__ import annotations

from dataclasses import dataclass

from synthcity.errors import TrialFailed
from synthcity.research.config import FoldsConfig
from synthcity.research.inputs import Input, InputRefused
from synthcity.research.labbook import LabBook, Origin, Tried, tried
from synthcity.research.measuring.trial import Judge

_BEST = 5


@dataclass(frozen=True, kw_only=True)
class Found:
    """An input with what its test said."""

    input: Input
    entry: Tried


class Bench:
    """Tests on the folds for finding; the confirming fold cannot be reached from here."""

    def __init__(self, arm: str, judge: Judge, folds: FoldsConfig, book: LabBook) -> None:
        self.arm, self.judge, self.book = arm, judge, book
        self._folds = folds.finding
        self.found: list[Found] = []

    @property
    def best(self) -> list[Found]:
        """The few with the largest gain, promising or not, best first."""
        gained = [found for found in self.found if found.entry.mean < 0]
        return sorted(gained, key=lambda found: found.entry.mean)[:_BEST]

    def test(self, one: Input, origin: Origin, *, round: int, hypothesis: str = "") -> Tried:
        """Test an input and write down what came of it; what breaks its contract is written down, too."""
        try:
            tested = self.judge.test([one], self._folds)
            entry = tried(tested, arm=self.arm, round=round, hypothesis=hypothesis, origin=origin)
        except (InputRefused, TrialFailed) as error:
            entry = Tried(
                arm=self.arm,
                round=round,
                name=one.name,
                hypothesis=hypothesis,
                origin=origin,
                refused=str(error),
            )
        self.judge.forget(one)
        self.book.add(entry)
        if not entry.refused:
            self.found.append(Found(input=one, entry=entry))
        return entry

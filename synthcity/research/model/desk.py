"""The desk of an experimenter: what the tools of ``looks`` and ``trying`` work on; all that is done is counted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from synthcity.authored.locked.lock import NotIsolated
from synthcity.authored.panel import Panel
from synthcity.errors import Fatal, RunError, TrialFailed, unknown_name
from synthcity.research.bench import Bench
from synthcity.research.examiner import Candidate
from synthcity.research.known import Known
from synthcity.research.labbook import Look, Origin, Tried
from synthcity.research.measuring.residuals import Residuals

ROLE = "experimenter"


@dataclass
class Desk:
    """One round of an experimenter: ``tests`` is how many are left.

    As many files as there are tests may fail at a few prompts without a cost (``failures`` counts them); after that a
    file is tested at once, and costs its test.
    """

    bench: Bench
    residuals: Residuals
    known: Known
    panel: Panel
    round: int
    tests: int
    seen: set[str] = field(default_factory=set)
    failures: int = 0
    _most_failures: int = field(init=False)

    def __post_init__(self) -> None:
        self._most_failures = self.tests

    @property
    def tested(self) -> set[str]:
        """Names of what this arm has had tested; decisions and claims are told by them."""
        return {entry.name for entry in self.bench.book.of(Tried, self.bench.arm)}

    def look(self, what: str) -> None:
        """Count a look."""
        with _fatally():
            self.bench.book.add(Look(arm=self.bench.arm, round=self.round, what=what))

    def test(self, one: Candidate, origin: Origin, hypothesis: str) -> Tried:
        """Have a candidate tested."""
        with _fatally():
            return self.bench.test(one, origin, round=self.round, hypothesis=hypothesis)

    def fails(self, one: Candidate) -> str:
        """Ask a candidate about a few prompts before it costs a test, and return why it may not be tested, or ""."""
        if self.failures == self._most_failures:
            return ""
        try:
            with _fatally():
                self.bench.admit(one)
        except TrialFailed as error:
            self.failures += 1
            return str(error)
        return ""

    def asset(self, name: str) -> str:
        if name not in self.known.assets:
            raise ValueError(unknown_name("asset", name, self.known.assets))
        return name

    def series(self, name: str) -> str:
        if name not in self.known.series:
            raise ValueError(unknown_name("series", name, self.known.series))
        return name


@contextmanager
def _fatally() -> Iterator[None]:
    """Tell whoever began the research, and not the model, that nothing can be locked or written down any more."""
    try:
        yield
    except (NotIsolated, RunError) as error:
        raise Fatal(str(error)) from error

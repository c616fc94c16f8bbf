"""What a gate has to go by: a run's journal, its seal, and a copy of the sealed files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from synthcity import strict_json
from synthcity.errors import RunError
from synthcity.forecast.bundles.facts import Facts
from synthcity.forecast.bundles.provenance import read_facts
from synthcity.forecast.bundles.suitability import is_simulated
from synthcity.forecast.bundles.verified import MANIFEST, sha256
from synthcity.forecast.evaluation.samples import SAMPLES
from synthcity.publish.snapshot import snapshot
from synthcity.search.finals.final import DIAGNOSTICS, TEST_SCORES, WINNER, read_scores
from synthcity.search.journal.events import Event
from synthcity.search.journal.history import TrialHistory
from synthcity.search.journal.journal import JOURNAL, read_events
from synthcity.search.journal.parts import RunTold
from synthcity.search.report.model import Report
from synthcity.search.report.retelling import tell_again
from synthcity.search.report.saving import REPORT_JSON, read_report
from synthcity.search.report.seal import digest, sealed

_AFTER = {"sealed", "run_finished", "published"}


@dataclass(frozen=True, eq=False, kw_only=True)
class Evidence:
    """A sealed run: ``run`` is its folder, ``folder`` the private copy of its sealed ``files`` (sha256 by path).

    ``events`` are those before the seal.
    """

    run: Path
    folder: Path
    files: dict[str, str]
    events: list[Event]

    @cached_property
    def history(self) -> TrialHistory:
        """What the journal told when the report was written."""
        return TrialHistory.replay(self.events)

    @cached_property
    def report(self) -> Report:
        """The report's data.

        Raises:
            RunError: it is of another version or no report.
        """
        return read_report(self.folder)

    @cached_property
    def scores(self) -> pd.DataFrame:
        """What the look saw, in long form.

        Raises:
            RunError: it is no such table.
        """
        return read_scores(self.folder, run=self.run)

    @cached_property
    def diagnostics(self) -> Any:
        """Calibration and fan charts of the look, None where there are none."""
        return strict_json.loads((self.folder / DIAGNOSTICS).read_bytes())

    @cached_property
    def told(self) -> RunTold:
        """What the run told of itself when its newest session began.

        Raises:
            RunError: it never began.
        """
        if self.history.run is None or "config" not in self.history.run:
            raise RunError(f"the journal of {self.run} does not tell how the run began")
        return self.history.run

    @cached_property
    def facts(self) -> tuple[Facts, ...]:
        """Where the bundle and its parts come from."""
        return read_facts(self.bundle)

    @cached_property
    def rebuilt(self) -> Report:
        """The report as journal and scores tell it; what needs prices is taken from the sealed one."""
        report = self.report
        return tell_again(
            self.history,
            self.scores,
            self.diagnostics,
            groups=report["groups"],
            versions=report["versions"],
            command=report["run"]["command"],
            venues=report["run"]["venues"],
            arms=report["arms"],
        )

    @property
    def bundle(self) -> Path:
        """The winner."""
        return self.folder / WINNER

    @property
    def bundle_files(self) -> list[str]:
        """The sealed files of the winner, by their path in the bundle."""
        return sorted(name.removeprefix(f"{WINNER}/") for name in self.files if name.startswith(f"{WINNER}/"))

    @property
    def bundle_hash(self) -> str:
        """The sha256 of the winner's manifest, which lists those of the rest."""
        return sha256((self.bundle / MANIFEST).read_bytes())


@contextmanager
def evidence(run: Path) -> Iterator[Evidence]:
    """Open a sealed run.

    Raises:
        RunError: it is none, is not over, was finished by an earlier version, or is not what was sealed.
    """
    if not (run / JOURNAL).is_file():
        raise RunError(f"there is no run in {str(run)!r}: it has no {JOURNAL}")
    events = read_events(run / JOURNAL)
    history, found = TrialHistory.replay(events), sealed(events)
    if not history.finals.finished:
        raise RunError(f"the run in {run} is not over; continue it with --resume, and publish what it proves")
    if found is None:
        raise RunError(
            f"the run in {run} was finished by an earlier synthcity, which kept no test prompts and sealed nothing; "
            f"move its {REPORT_JSON} aside and continue it with --resume, which looks at nothing again"
        )
    seal, at = found
    if seal["journal"] != digest(events[:at]):
        raise RunError(f"the journal of {run} is not what was sealed: an event of it was edited")
    if strange := [event["kind"] for event in events[at:] if event["kind"] not in _AFTER]:
        raise RunError(f"the journal of {run} goes on after its seal with {strange[0]!r}; continue it with --resume")
    for name in (REPORT_JSON, TEST_SCORES, DIAGNOSTICS, f"{WINNER}/{MANIFEST}"):
        if name not in seal["files"]:
            raise RunError(f"the seal of {run} does not hold {name}, so nothing vouches for it")
    if SAMPLES not in seal["files"]:
        raise RunError(_without_samples(run, history))
    _refuse_strangers(run / WINNER, set(seal["files"]))
    with snapshot(run, seal["files"]) as folder:
        yield Evidence(run=run, folder=folder, files=dict(seal["files"]), events=events[:at])


def _without_samples(run: Path, history: TrialHistory) -> str:
    chosen = history.finals.chosen
    if chosen is not None and chosen["name"] != chosen["challenger"]:
        return f"the run in {run} froze the baseline {chosen['name']}, so there is nothing to publish"
    if is_simulated(read_facts(run / WINNER)):
        return f"the run in {run} is of a SIMULATED market: what it proves is worth nothing; search on real prices"
    return f"the run in {run} kept no test prompts, since its bundle did not come to the figures of the look again"


def _refuse_strangers(winner: Path, files: set[str]) -> None:
    """Refuse what lies in the bundle and was not sealed."""
    for path in sorted(winner.rglob("*")):
        name = f"{WINNER}/{path.relative_to(winner).as_posix()}"
        if (path.is_symlink() or not path.is_dir()) and name not in files:
            raise RunError(f"{path} was not there when the run was finished; take it away")

"""What it means to resume a run: whether it is over, gets more than it had, and whether all is as it was."""

from __future__ import annotations

from pathlib import Path

from synthcity.errors import RunError
from synthcity.search.config import SearchConfig
from synthcity.search.data import SearchData
from synthcity.search.fingerprint import compare, fingerprint
from synthcity.search.journal.events import COMMON_NOISE
from synthcity.search.journal.folder import read_run
from synthcity.search.journal.history import TrialHistory
from synthcity.search.report.outcome import SearchResult
from synthcity.search.report.seal import read_sealed
from synthcity.search.versions import versions


def finished(folder: Path, config: SearchConfig) -> SearchResult | None:
    """Return the result of a run that is over and gets nothing more; None where there is something to do."""
    events = read_run(folder)[1]
    history = TrialHistory.replay(events)
    if not history.finals.finished or extends(config, history):
        return None
    try:
        return SearchResult(folder=folder, report=read_sealed(folder, events))
    except RunError:  # gone, damaged or of an earlier version: it is made again from what journal and test scores tell
        return None


def extends(config: SearchConfig, history: TrialHistory) -> bool:
    """Whether a search that was over gets more trials or more time than it had."""
    run, budget = history.run, config.search
    if run is None or not history.finals.searched:
        return False
    before = run.get("time_budget")
    longer = before is not None and (budget.time_budget is None or budget.time_budget > before)
    return longer or budget.trials > run.get("trials", budget.trials)


def changes(history: TrialHistory, data: SearchData) -> list[str]:
    """Return a sentence for everything that is not as it was when the run was left.

    Raises:
        DataError: the prices are not those that its trials were trained or compared on.
    """
    if history.run is None:
        return []
    notes = compare(history.run.get("fingerprint", {}), fingerprint(data))
    if history.run.get("version", 1) < COMMON_NOISE and history.records and not history.finals.searched:
        notes.append(
            "The trials before this resume were scored with random numbers of their own, those after it with common "
            "ones: by that alone a score of the former may be 0.04 % (24 hours ahead) or 0.15 % (one hour) off."
        )
    before, now = history.run.get("versions", {}), versions()
    changed = [
        f"{name} {before[name]} became {now.get(name, 'none')}" for name in before if before[name] != now.get(name)
    ]
    return notes + ([f"The run was resumed with other versions: {', '.join(changed)}."] if changed else [])

"""A report told again without its own data: from the journal, and from what the look at the test period saw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import pandas as pd

from synthcity import strict_json
from synthcity.errors import BundleError, RunError
from synthcity.forecast.bundles.provenance import read_facts
from synthcity.forecast.evaluation.diagnostics import DiagnosticsTold
from synthcity.forecast.evaluation.interval import block_days
from synthcity.forecast.evaluation.regimes import GroupsTold, lead_by_group
from synthcity.market.store.series import SIMULATED
from synthcity.search.finals.final import DIAGNOSTICS, WINNER, read_scores
from synthcity.search.finals.verdict import Verdict, score_rows
from synthcity.search.journal.events import VerdictTold
from synthcity.search.journal.folder import read_resolved
from synthcity.search.journal.history import TrialHistory
from synthcity.search.journal.journal import JOURNAL, read_events
from synthcity.search.journal.progress import Progress
from synthcity.search.journal.reading import Reading
from synthcity.search.proposers.arm_table import ArmRow, arm_rows
from synthcity.search.report.model import Report
from synthcity.search.report.outcome import baselines_of, leads_over, reasons, warnings
from synthcity.search.report.report import build_report
from synthcity.search.report.saving import REPORT_JSON, read_report, write_page
from synthcity.search.report.seal import read_sealed, sealed
from synthcity.sn50.competitions import get_competition, get_rules
from synthcity.wording import percent

NOT_OVER = "the run is not over: the page tells how far it is, and there is no verdict on it"
NO_SCORES = pd.DataFrame({"asset": [], "start_time": [], "forecaster": [], "total": []})


def draw_again(folder: Path) -> tuple[Path, str]:
    """Draw the page of a run: from its data, or from its journal where that is missing, damaged or not made yet.

    The data is left as it is. A resumed run makes it again, with what only prices tell. The page of a run that is not
    over says so.

    Returns:
        The page, and why it was drawn from the journal; empty where it was not.

    Raises:
        RunError: there is no run, it is damaged or has not begun, or the page cannot be written.
    """
    from jinja2 import TemplateError

    reading, trouble = _reading(folder)
    try:
        report = read_report(folder) if reading is None else read_sealed(folder, reading.events)
        return write_page(folder, report), ""
    except (RunError, TemplateError, LookupError, TypeError, ValueError, AttributeError) as error:
        said = str(error) if isinstance(error, RunError) else f"{str(folder / REPORT_JSON)!r} makes no sense"
        if not (folder / REPORT_JSON).exists():
            said = f"there is no {REPORT_JSON}"
        if reading is None:
            raise RunError(f"{said}; and {trouble}") from error
        if reading.last(VerdictTold) is None:
            return write_page(folder, _from_journal(folder, reading, "drawn while the run is not over")), NOT_OVER
        why = f"drawn from the journal, since {said}"
    return write_page(folder, _from_journal(folder, reading, why)), f"{why}; --resume makes {REPORT_JSON} again"


def tell_again(
    history: TrialHistory,
    scores: pd.DataFrame,
    diagnostics: DiagnosticsTold | None,
    *,
    groups: GroupsTold | None,
    versions: Mapping[str, str],
    command: str,
    venues: Sequence[str],
    arms: Sequence[ArmRow],
    warnings: Sequence[str] = (),
    verdict: Verdict | None = None,
) -> Report:
    """Return the report that journal and scores tell; see ``build_report`` for what else there is to tell.

    Where there are no ``scores``, ``verdict`` is what was told of them.

    Raises:
        RunError: the journal does not tell how the run began.
        ValueError: a forecaster has no scores.
    """
    run, chosen = history.run, history.finals.chosen
    if run is None or not {"rules", "assets", "competition", "config"} <= run.keys():
        raise RunError("the journal does not tell how the run began; start the search again")
    if chosen is None and verdict is None:
        raise RunError("the journal does not tell what the run chose; continue it with --resume")
    rules, challenger = get_rules(run["rules"]), chosen["challenger"] if chosen is not None else None
    if scores.empty:  # what was chosen of a run that is not over may yet be chosen anew
        challenger = verdict["challenger"] if verdict is not None else challenger
    weights = {asset: rules.coefficient(asset) for asset in run["assets"]}
    days = block_days(get_competition(run["competition"], rules).time_length)
    return build_report(
        history=history,
        scores=scores,
        challenger=challenger,
        baselines=baselines_of(scores) or list(history.baselines),
        leads={} if challenger is None or scores.empty else leads_over(scores, challenger, weights, days),
        weights=weights,
        diagnostics=diagnostics,
        groups=groups,
        config=run["config"],
        versions=versions,
        command=command,
        venues=venues,
        arms=arms,
        warnings=warnings,
        told=verdict,
    )


def _reading(folder: Path) -> tuple[Reading | None, str]:
    """Return what the journal tells, or why it tells nothing."""
    if not (folder / JOURNAL).is_file():
        return None, f"there is no run in {str(folder)!r}: it has no {JOURNAL}"
    try:
        return Reading(read_events(folder / JOURNAL)), ""
    except RunError as error:
        return None, str(error)


def _from_journal(folder: Path, reading: Reading, why: str) -> Report:
    run, verdict = reading.history.run, reading.last(VerdictTold)
    if run is None:
        raise RunError(f"the run in {str(folder)!r} was left before it began, so there is nothing to draw")
    if (found := sealed(reading.events)) is not None:  # what was published since is no part of it
        reading = Reading(reading.events[: found[1]])
    notes = [f"This page was {why}.", *warnings(reading)]
    scores, groups, diagnostics, arms = NO_SCORES, None, None, list[ArmRow]()
    try:
        if verdict is None:
            raise RunError("the test period is judged at the end")
        scores = read_scores(folder)
        groups = _groups(reading.history, scores)
        notes.append("The lead by volatility is not shown: only prices tell how volatile it was.")
    except RunError as error:
        notes.append(f"No scores are shown: {error}.")
    try:
        arms = arm_rows(reading.history, read_resolved(folder).search.arms, reasons(reading))
    except RunError as error:
        notes.append(f"No proposers are shown: {error}.")
    with suppress(OSError, ValueError):  # the page says that there are none
        diagnostics = strict_json.loads((folder / DIAGNOSTICS).read_bytes())
    return tell_again(
        reading.history,
        scores,
        diagnostics,
        groups=groups,
        versions=run.get("versions", {}),
        command=run.get("command", ""),
        venues=_venues(folder, run.get("config", {})),
        arms=arms,
        warnings=notes,
        verdict=verdict or _unfinished(reading.history),
    )


def _unfinished(history: TrialHistory) -> Verdict:
    """A verdict without a winner: how far a run is, and who leads on validation."""
    progress, run = Progress(history), history.run
    best, rival = progress.best_trial, progress.best_baseline
    of = f" of {run['trials']}" if run is not None and "trials" in run else ""
    sentence = f"Unfinished: {progress.num_finished}{of} trials have ended, and there is no verdict yet."
    if best is not None and rival is not None:
        sentence += (
            f" On validation, where the best of many is flattered, {best.id} leads, with "
            f"{percent(progress.relative(best.score))} against {rival[0]}."
        )
    return Verdict(
        sentence=sentence,
        proven=False,
        proven_against={},
        winner="",
        winner_is_baseline=False,
        challenger=None,
        best_baseline="",
    )


def _groups(history: TrialHistory, scores: pd.DataFrame) -> GroupsTold | None:
    """The lead by hour; how volatile it was, only prices tell."""
    run, chosen = history.run, history.finals.chosen
    if run is None or chosen is None or chosen["challenger"] is None or scores.empty:
        return None
    rules = get_rules(run["rules"])
    weights = {asset: rules.coefficient(asset) for asset in run["assets"]}
    rows = score_rows(scores, chosen["challenger"], baselines_of(scores), weights)
    best = next(row["name"] for row in rows if row["kind"] == "baseline")
    days = block_days(get_competition(run["competition"], rules).time_length)
    return lead_by_group(scores, chosen["challenger"], best, {}, weights=weights, block_days=days)


def _venues(folder: Path, config: Mapping[str, object]) -> list[str]:
    data = config.get("data")
    if isinstance(data, Mapping) and data.get("source") == SIMULATED:
        return [SIMULATED]
    with suppress(BundleError):
        return sorted({venue for facts in read_facts(folder / WINNER) for venue in facts.venues})
    return []

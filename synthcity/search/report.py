"""``report.json``: everything a finished search has to tell; ``report.html`` is drawn from it alone.

Scores are in basis points, lower is better. Leads and relative scores are 100 (score - baseline) / baseline, in
percent, negative when better. Times are unix seconds, elapsed times seconds of searching.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict

import pandas as pd

from synthcity.errors import RunError
from synthcity.search.progress import Event, Progress, Trial, architecture

SCHEMA = 1
REPORT_JSON = "report.json"
REPORT_HTML = "report.html"


class Interval(TypedDict):
    """A lead in percent with its 95 % interval; None where there are too few days for one."""

    mean: float
    low: float | None
    high: float | None


class LeadTable(Interval):
    """The coefficient-weighted lead over one baseline, and by asset."""

    by_asset: dict[str, Interval]


class ScoreRow(TypedDict):
    """One forecaster on the test period; ``kind`` is "candidate" or "baseline"."""

    name: str
    kind: str
    by_asset: dict[str, float]
    mean: float
    relative: float  # percent against the best baseline


class Verdict(TypedDict):
    """What the one look at the test period says; ``challenger`` is None if no candidate survived."""

    sentence: str
    proven: bool  # against every baseline
    proven_against: dict[str, bool]
    winner: str
    winner_is_baseline: bool
    challenger: str | None
    best_baseline: str


class TrialRow(TypedDict):
    """One candidate's fate; ``curve`` lists (steps, validation score) by rung, ``relative`` is on validation."""

    id: str
    source: str
    parent: str | None
    architecture: str
    config: Mapping[str, Any]
    state: str
    rung: int
    num_rungs: int
    score: float | None
    relative: float | None
    seconds: float
    parameters: int | None
    elapsed: float | None
    curve: list[tuple[int, float]]


class FailureGroup(TypedDict):
    """Trials that failed for the same cause, with the traceback of the first."""

    cause: str
    message: str
    trials: list[str]
    traceback: str


class RejectionGroup(TypedDict):
    """Candidates that the gate refused for one reason; ``example`` is the first one's config."""

    reason: str
    count: int
    sources: dict[str, int]
    example: Any


class RunFacts(TypedDict):
    """Where the run came from and what it cost."""

    name: str
    competition: str
    assets: list[str]
    command: str
    started: float
    finished: float
    sessions: int
    seconds: float
    workers: int
    utilisation: float | None
    num_prompts: int
    first_prompt: int | None
    last_prompt: int | None


class Report(TypedDict):
    """The whole of ``report.json``."""

    schema: int
    run: RunFacts
    verdict: Verdict
    scores: list[ScoreRow]
    leads: dict[str, LeadTable]
    finals: list[Event]
    validation_baselines: dict[str, float]
    trials: list[TrialRow]
    failures: list[FailureGroup]
    rejections: list[RejectionGroup]
    diagnostics: Mapping[str, Any] | None
    groups: Mapping[str, Any] | None
    periods: Mapping[str, Any]
    config: Mapping[str, Any]
    versions: Mapping[str, str]
    warnings: list[str]


def build_report(
    *,
    events: Iterable[Event],
    scores: pd.DataFrame,
    challenger: str | None,
    baselines: Sequence[str],
    leads: Mapping[str, LeadTable],
    weights: Mapping[str, float],
    diagnostics: Mapping[str, Any] | None,
    groups: Mapping[str, Any] | None,
    config: Mapping[str, Any],
    versions: Mapping[str, str],
    command: str,
    warnings: Sequence[str] = (),
) -> Report:
    """Gather a finished search into plain data.

    Args:
        events: the journal.
        scores: scores on the test period in long form: asset, start_time, forecaster, total.
        challenger: the forecaster in ``scores`` that was frozen on validation, None if no candidate survived.
        baselines: the statistical baselines in ``scores``.
        leads: lead of the challenger over each baseline.
        weights: coefficient of each asset in the mean.
        diagnostics: result of ``forecast.diagnostics.Diagnostics`` for the challenger, None if not collected.
        groups: result of ``forecast.regimes.lead_by_group``, None if not computed.
        config: the resolved sweep file; its ``data.periods`` are shown apart.
        versions: versions of what took part, by name.
        command: the exact command line.
        warnings: everything that ran degraded, one sentence each.

    Raises:
        ValueError: a forecaster has no scores, or a lead is missing.
    """
    progress = Progress(events)
    rows = score_rows(scores, challenger, baselines, weights)
    notes = [*warnings, *_degraded(progress, diagnostics, groups)]
    return Report(
        schema=SCHEMA,
        run=_run_facts(progress, scores, command),
        verdict=judge(rows, leads, challenger, num_prompts=_num_prompts(scores)),
        scores=rows,
        leads={name: leads[name] for name in baselines if name in leads},
        finals=progress.finals,
        validation_baselines=dict(progress.run.get("baseline_scores") or {}),
        trials=[_trial_row(progress, trial) for trial in progress.trials.values()],
        failures=_failures(progress),
        rejections=_rejections(progress),
        diagnostics=diagnostics,
        groups=groups,
        periods=config.get("data", {}).get("periods", {}),
        config=config,
        versions=versions,
        warnings=notes,
    )


def score_rows(
    scores: pd.DataFrame, challenger: str | None, baselines: Sequence[str], weights: Mapping[str, float]
) -> list[ScoreRow]:
    """Mean score of each forecaster by asset and coefficient-weighted over assets, best first."""
    table = scores.pivot_table(index="forecaster", columns="asset", values="total", aggfunc="mean", sort=False)
    missing = [name for name in (*baselines, *([challenger] if challenger else [])) if name not in table.index]
    if missing or not baselines:
        raise ValueError(f"no scores of {missing} among {list(table.index)}; baselines are {list(baselines)}")
    weight = pd.Series({asset: weights.get(str(asset), 1.0) for asset in table.columns})
    mean = (table * weight).sum(axis=1) / weight.sum()
    best = mean[list(baselines)].min()
    return [
        ScoreRow(
            name=str(name),
            kind="baseline" if name in baselines else "candidate",
            by_asset={str(asset): float(value) for asset, value in table.loc[name].items()},
            mean=float(mean[name]),
            relative=float(100 * (mean[name] - best) / best),
        )
        for name in mean.sort_values().index
    ]


def judge(
    rows: Sequence[ScoreRow], leads: Mapping[str, LeadTable], challenger: str | None, *, num_prompts: int
) -> Verdict:
    """Say in one sentence what the test period proves.

    A lead is proven where its whole 95 % interval lies below zero. A baseline with a better mean than the
    challenger is the winner, whatever the intervals say.
    """
    baselines = [row["name"] for row in rows if row["kind"] == "baseline"]  # best first
    if challenger is not None and set(leads) != set(baselines):
        raise ValueError(f"leads over {sorted(leads)} do not cover the baselines {sorted(baselines)}")
    proven = {name: challenger is not None and _clear(leads[name]) for name in baselines}
    beaten = challenger is not None and leads[baselines[0]]["mean"] < 0
    return Verdict(
        sentence=_sentence(baselines, leads, challenger, proven, num_prompts),
        proven=beaten and all(proven.values()),
        proven_against=proven,
        winner=challenger if challenger is not None and beaten else baselines[0],
        winner_is_baseline=not beaten,
        challenger=challenger,
        best_baseline=baselines[0],
    )


def _clear(lead: Interval) -> bool:
    return lead["high"] is not None and lead["high"] < 0


def _sentence(
    baselines: Sequence[str],
    leads: Mapping[str, LeadTable],
    challenger: str | None,
    proven: Mapping[str, bool],
    num_prompts: int,
) -> str:
    best = baselines[0]
    over = f"on {num_prompts:,} prompts that nobody had looked at"
    if challenger is None:
        return f"Not proven: no candidate survived the search, so the baseline {best} wins {over}."
    lead = leads[best]
    size = f"{abs(lead['mean']):.2f} % (95 % interval of the difference {_range(lead)})"
    if lead["mean"] >= 0:
        return f"Not proven: the baseline {best} wins; {challenger} scores {size} worse {over}."
    if all(proven.values()):
        rest = " and clearly better than every other baseline" if len(baselines) > 1 else ""
        return f"Proven: {challenger} scores {size} better than {best}, the best baseline,{rest} {over}."
    open_ = ", ".join(name for name in baselines if not proven[name])
    return (
        f"Not proven against {open_}: {challenger} scores {size} better than {best}, the best baseline, {over}, "
        "but the interval does not exclude chance."
    )


def _range(lead: Interval) -> str:
    if lead["low"] is None or lead["high"] is None:
        return "unknown, too few days"
    return f"{lead['low']:+.2f} to {lead['high']:+.2f} %".replace("-", "\N{MINUS SIGN}")


def _run_facts(progress: Progress, scores: pd.DataFrame, command: str) -> RunFacts:
    run, sessions = progress.run, progress.sessions
    starts = scores["start_time"]
    return RunFacts(
        name=str(run.get("name", "")),
        competition=str(run.get("competition", "")),
        assets=list(run.get("assets", ())),
        command=command,
        started=sessions[0][0] if sessions else 0.0,
        finished=sessions[-1][1] if sessions else 0.0,
        sessions=len(sessions),
        seconds=progress.used_seconds(),
        workers=int(run.get("workers") or 1),
        utilisation=progress.utilisation(),
        num_prompts=_num_prompts(scores),
        first_prompt=int(starts.min()) if len(starts) else None,
        last_prompt=int(starts.max()) if len(starts) else None,
    )


def _num_prompts(scores: pd.DataFrame) -> int:
    return len(scores[["asset", "start_time"]].drop_duplicates())


def _trial_row(progress: Progress, trial: Trial) -> TrialRow:
    ended = trial.finished or trial.last.get("time")
    return TrialRow(
        id=trial.id,
        source=trial.source,
        parent=None if trial.parent is None else str(trial.parent),
        architecture=architecture(trial.config),
        config=trial.config,
        state=trial.state,
        rung=trial.rung,
        num_rungs=trial.num_rungs,
        score=trial.score,
        relative=progress.relative(trial.score),
        seconds=trial.seconds,
        parameters=trial.last.get("parameters"),
        elapsed=None if ended is None else progress.elapsed(ended),
        curve=[(rung["steps"], rung["score"]) for _, rung in sorted(trial.rungs.items())],
    )


def _failures(progress: Progress) -> list[FailureGroup]:
    groups: dict[tuple[str, str], list[Trial]] = defaultdict(list)
    for trial in progress.trials.values():
        if trial.state == "failed":
            failure = trial.failure or {}
            first = str(failure.get("message", "")).strip().split("\n")[0]
            groups[str(failure.get("class", "unknown")), first].append(trial)
    return [
        FailureGroup(
            cause=cause,
            message=message,
            trials=[trial.id for trial in trials],
            traceback=str((trials[0].failure or {}).get("traceback") or ""),
        )
        for (cause, message), trials in sorted(groups.items(), key=lambda item: -len(item[1]))
    ]


def _rejections(progress: Progress) -> list[RejectionGroup]:
    groups: dict[str, list[Event]] = defaultdict(list)
    for event in progress.rejected:
        groups[str(event["reason"])].append(event)
    return [
        RejectionGroup(
            reason=reason,
            count=len(events),
            sources=dict(Counter(str(event["source"]) for event in events)),
            example=events[0].get("config"),
        )
        for reason, events in sorted(groups.items(), key=lambda item: -len(item[1]))
    ]


def _degraded(progress: Progress, diagnostics: object, groups: object) -> list[str]:
    notes = []
    if len(progress.sessions) > 1:
        notes.append(f"The search was interrupted and resumed {len(progress.sessions) - 1} times.")
    unfinished = sum(trial.state in ("running", "waiting") for trial in progress.trials.values())
    if unfinished:
        notes.append(f"{unfinished} candidates were not trained to an end when the budget ran out.")
    if diagnostics is None:
        notes.append("Calibration and fan charts were not collected.")
    if groups is None:
        notes.append("Scores by hour and volatility regime were not computed.")
    return notes


def save_report(folder: Path, report: Report) -> Path:
    """Write ``report.json`` into ``folder`` and draw ``report.html`` beside it; return the page's path."""
    text = json.dumps(report, indent=1, ensure_ascii=False, allow_nan=False)
    _write(folder / REPORT_JSON, text)
    return write_report(folder)


def write_report(folder: Path) -> Path:
    """Draw ``<folder>/report.html`` from ``<folder>/report.json`` and return its path.

    Raises:
        RunError: the data is missing, damaged or of another version, or the page cannot be written.
    """
    from synthcity.search.page import render  # matplotlib is loaded only when a report is drawn

    path = folder / REPORT_JSON
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunError(f"cannot read the report data {str(path)!r}: {error}") from error
    if not isinstance(report, dict) or report.get("schema") != SCHEMA:
        raise RunError(f"{str(path)!r} is no report of version {SCHEMA}; finish the run again with --resume")
    page = folder / REPORT_HTML
    _write(page, render(report))  # type: ignore[arg-type]
    return page


def _write(path: Path, text: str) -> None:
    """Replace ``path`` in one step, so that a reader never sees half a file."""
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".tmp")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(text)
            os.chmod(name, 0o644)
            os.replace(name, path)
        except BaseException:
            os.unlink(name)
            raise
    except OSError as error:
        raise RunError(f"cannot write {str(path)!r}: {error.strerror}") from error

"""From the events of a finished search to its report."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from synthcity.search.arms import CLOSED, LLM
from synthcity.search.candidates.notation import sketch
from synthcity.search.finals.verdict import LeadTable, judge, score_rows
from synthcity.search.journal.progress import Event, Progress, Trial
from synthcity.search.proposers.arm_table import ArmRow
from synthcity.search.report.model import (
    SCHEMA,
    FailureGroup,
    FinalRow,
    RejectionExample,
    RejectionGroup,
    Report,
    RunFacts,
    TrialRow,
)
from synthcity.search.report.repairs import limit_rows, repair_rows

_NUM_EXAMPLES = 5  # of the reasons for which one stage of the gate refused candidates


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
    arms: Sequence[ArmRow] = (),
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
        arms: what each arm was given, earned and cost.
        warnings: everything that ran degraded, one sentence each.

    Raises:
        ValueError: a forecaster has no scores, or a lead is missing.
    """
    progress = Progress(events)
    rows = score_rows(scores, challenger, baselines, weights)
    notes = [*warnings, *_degraded(progress, diagnostics, groups)]
    return Report(
        schema=SCHEMA,
        run=_run_facts(progress, scores, command, config),
        verdict=judge(rows, leads, challenger, frozen=progress.winner.get("name"), num_prompts=_num_prompts(scores)),
        scores=rows,
        leads={row["name"]: leads[row["name"]] for row in rows if row["name"] in leads},
        finals=_finals(progress, baselines),
        validation_baselines=dict(progress.run.get("baseline_scores") or {}),
        arms=list(arms),
        trials=[_trial_row(progress, trial) for trial in progress.trials.values()],
        failures=_failures(progress),
        repairs=repair_rows(progress),
        limits=limit_rows(progress),
        rejections=_rejections(progress),
        diagnostics=diagnostics,
        groups=groups,
        periods=config.get("data", {}).get("periods", {}),
        config=config,
        versions=versions,
        warnings=notes,
    )


def _run_facts(progress: Progress, scores: pd.DataFrame, command: str, config: Mapping[str, Any]) -> RunFacts:
    run, sessions = progress.run, progress.sessions
    starts = scores["start_time"]
    return RunFacts(
        name=str(run.get("name", "")),
        competition=str(run.get("competition", "")),
        rules=str(run.get("rules", "")),
        assets=list(run.get("assets", ())),
        seed=config.get("search", {}).get("seed"),
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
        rationale=trial.rationale,
        architecture=sketch(trial.config),
        config=trial.config,
        state=trial.state,
        rung=trial.rung,
        num_rungs=trial.num_rungs,
        score=trial.score,
        relative=progress.relative(trial.score),
        seconds=trial.seconds,
        parameters=trial.last.get("parameters"),
        elapsed=None if ended is None else progress.elapsed(ended),
        curve=[(rung["steps"], rung.get("rung_score", rung["score"])) for _, rung in sorted(trial.rungs.items())],
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
        groups[str(event["stage"])].append(event)
    return [
        RejectionGroup(
            stage=stage,
            count=len(events),
            sources=dict(Counter(str(event["source"]) for event in events)),
            examples=_examples(events),
        )
        for stage, events in sorted(groups.items(), key=lambda item: -len(item[1]))
    ]


def _examples(events: Sequence[Event]) -> list[RejectionExample]:
    first = {str(event["reason"]): event.get("config") for event in reversed(events)}
    return [RejectionExample(reason=reason, config=first[reason]) for reason in list(first)[::-1][:_NUM_EXAMPLES]]


def _finals(progress: Progress, baselines: Sequence[str]) -> list[FinalRow]:
    scores = {name: float(event["score"]) for name, event in progress.finalists.items()}
    best = min((scores[name] for name in baselines if name in scores), default=None)
    weights = dict(zip(progress.mix.get("members", ()), progress.mix.get("weights", ()), strict=True))
    return [
        FinalRow(
            name=name,
            kind="baseline" if name in baselines else "candidate",
            score=scores[name],
            relative=None if best is None else 100 * (scores[name] - best) / best,
            weight=weights.get(name),
        )
        for name in sorted(scores, key=lambda name: scores[name])
    ]


def _degraded(progress: Progress, diagnostics: object, groups: object) -> list[str]:
    notes = [_trouble_note(kind, events) for kind, events in _by_kind(progress.troubles).items()]
    if len(progress.sessions) > 1:
        notes.append(f"The search took {len(progress.sessions)} sessions: it was interrupted and resumed.")
    unfinished = sum(trial.state in ("running", "waiting") for trial in progress.trials.values())
    if unfinished:
        notes.append(f"{_many(unfinished, 'candidate')} had no end to training when the budget ran out.")
    if diagnostics is None:
        notes.append("Calibration and fan charts were not collected.")
    if groups is None:
        notes.append("Scores by hour and volatility regime were not computed.")
    return notes


def _by_kind(events: Iterable[Event]) -> dict[str, list[Event]]:
    groups: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        groups[f"{event['kind']} {event.get('source', '')}".strip()].append(event)
    return groups


def _trouble_note(group: str, events: Sequence[Event]) -> str:
    kind, _, source = group.partition(" ")
    last = events[-1]
    times = {1: "once", 2: "twice"}.get(len(events), f"{len(events)} times")
    if kind == "worker_died":
        trials = ", ".join(dict.fromkeys(str(event["id"]) for event in events))
        return f"A worker died {times} (in {trials}); its trial went on from its last checkpoint."
    if kind == "tune_lost":
        return f"Ray Tune's loop broke {times} and was started afresh, last with: {last.get('error', '')}"
    if kind == "proposer_failed":
        return f"The proposer {source} failed {times}, last with: {last.get('error', '')}"
    if kind == "arm_state":
        how = "closed" if last["state"] == CLOSED else f"resting {times}"
        reason = f"no language model: {last['reason']}" if source.startswith(LLM) else last["reason"]
        return f"The proposer {source} was {how}: {reason}."
    if kind == "author_ended":
        return f"The author wrote no component {times}, last since: {last['reason'] or last['status']}"
    return f"The run was interrupted {times}, last by: {last.get('reason', '')}"


def _many(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"

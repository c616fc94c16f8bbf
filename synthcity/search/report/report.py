"""From the events of a finished search to its report."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

import pandas as pd

from synthcity.forecast.evaluation.diagnostics import DiagnosticsTold
from synthcity.forecast.evaluation.interval import block_days
from synthcity.forecast.evaluation.regimes import GroupRow, GroupsTold
from synthcity.market.store.series import SIMULATED
from synthcity.search.arms import CLOSED, LLM
from synthcity.search.candidates.notation import sketch
from synthcity.search.finals.choice import RULE
from synthcity.search.finals.verdict import LeadTable, ScoreRow, Verdict, judge, score_rows
from synthcity.search.journal.events import Trouble
from synthcity.search.journal.history import FAILED, Rejection, TrialHistory, TrialRecord
from synthcity.search.journal.progress import Progress
from synthcity.search.journal.record import own_score
from synthcity.search.journal.standings import whole_scores
from synthcity.search.proposers.arm_table import ArmRow
from synthcity.search.report.findings.horizons import horizon_rows
from synthcity.search.report.findings.importance import importance_rows
from synthcity.search.report.findings.lanes import lane_rows
from synthcity.search.report.findings.mixing import mix_sentence
from synthcity.search.report.findings.money import PayRow, pay_rows
from synthcity.search.report.findings.parameters import parameter_rows
from synthcity.search.report.library import from_library, from_research, kept_of
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
from synthcity.search.report.place import sentence
from synthcity.search.report.price import PriceTold, price
from synthcity.search.report.repairs import limit_rows, repair_rows
from synthcity.sn50.competitions import get_competition
from synthcity.wording import duration

_NUM_EXAMPLES = 5  # of the reasons for which one stage of the gate refused candidates


def build_report(
    *,
    history: TrialHistory,
    scores: pd.DataFrame,
    challenger: str | None,
    baselines: Sequence[str],
    leads: Mapping[str, LeadTable],
    weights: Mapping[str, float],
    diagnostics: DiagnosticsTold | None,
    groups: GroupsTold | None,
    config: Mapping[str, Any],
    versions: Mapping[str, str],
    command: str,
    venues: Sequence[str] = (),
    arms: Sequence[ArmRow] = (),
    warnings: Sequence[str] = (),
    told: Verdict | None = None,
) -> Report:
    """Gather a finished search into plain data.

    Args:
        history: what the journal tells.
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
        venues: whose prices they were; ``SIMULATED`` is one, which header and verdict then say.
        arms: what each arm was given, earned and cost.
        warnings: everything that ran degraded, one sentence each.
        told: the verdict that was told of scores that are lost, or one without a winner of a run that is not over;
            else ``scores`` are judged.

    Raises:
        ValueError: a forecaster has no scores, or a lead is missing.
    """
    progress, whole = Progress(history), whole_scores(history.records)
    max_blocks = int(config.get("search", {}).get("max_blocks", 1))
    importance = importance_rows(history.records, max_blocks)
    rows = [] if told is not None and scores.empty else score_rows(scores, challenger, baselines, weights)
    finals = history.finals
    if told is not None and not rows:
        verdict = cast(Verdict, {key: value for key, value in told.items() if key in Verdict.__annotations__})
    else:
        verdict = judge(
            rows,
            leads,
            challenger,
            frozen=finals.winner,
            num_prompts=_num_prompts(scores),
            looks=max(1, history.looks),
            is_simulated=SIMULATED in venues,
        )
    is_over = bool(verdict["winner"])
    report = Report(
        schema=SCHEMA,
        run=_run_facts(
            progress,
            scores,
            command,
            config,
            venues,
            price(history.cost, history.usd, history.records, verdict, leads),
            is_over=is_over,
        ),
        verdict=verdict,
        scores=rows,
        leads={row["name"]: leads[row["name"]] for row in rows if row["name"] in leads},
        pay=_pay(history, rows, leads, challenger),
        horizons=_horizons(history, scores, challenger, verdict["best_baseline"], weights),
        lanes=lane_rows(history.records),
        losses=_losses(history),
        importance=importance,
        parameters=parameter_rows(history.records, max_blocks, [row["name"] for row in importance]),
        rule=RULE,
        choice=finals.chosen.get("why", "") if finals.chosen else "",
        cuts=[event["note"] for event in history.troubles if event["kind"] == "degraded" and event.get("cut")],
        tracking=[event["note"] for event in history.troubles if event["kind"] == "degraded" and event.get("tracking")],
        finals=_finals(history, baselines),
        validation_baselines=dict(history.baselines),
        arms=list(arms),
        trials=[_trial_row(progress, record, whole) for record in history.records],
        best_trial=next((record.id for record in history.scored), None),
        failures=_failures(history),
        repairs=repair_rows(history),
        limits=limit_rows(history),
        rejections=_rejections(history),
        diagnostics=diagnostics,
        groups=groups,
        periods=config.get("data", {}).get("periods", {}),
        config=config,
        versions=versions,
        warnings=[*warnings, *_degraded(progress, diagnostics, groups, is_over=is_over)],
    )
    if mixed := _mixed(history, scores, challenger, weights):
        report["mixed"] = mixed
    if history.inputs is not None:
        report["inputs"], report["kept_inputs"] = from_library(history), kept_of(history)
    if history.researched is not None:
        report["research"], report["found"] = from_research(history), history.researched["found"]
    if finals.earnings is not None:
        report["earnings"], report["place"] = sentence(finals.earnings), finals.earnings["place"]
    return report


def _run_facts(
    progress: Progress,
    scores: pd.DataFrame,
    command: str,
    config: Mapping[str, Any],
    venues: Sequence[str],
    told: PriceTold,
    *,
    is_over: bool,
) -> RunFacts:
    history = progress.history
    run, sessions = history.run, history.sessions
    starts = scores["start_time"]
    return RunFacts(
        name=run.get("name", "") if run else "",
        competition=run.get("competition", "") if run else "",
        rules=run.get("rules", "") if run else "",
        assets=run.get("assets", []) if run else [],
        venues=list(venues),
        is_simulated=SIMULATED in venues,
        is_over=is_over,
        seed=config.get("search", {}).get("seed"),
        command=command,
        started=sessions[0].begin if sessions else 0.0,
        finished=sessions[-1].end if sessions else 0.0,
        sessions=sum(session.announced for session in sessions),
        seconds=history.used_seconds,
        usd=history.usd,
        time_budget=run.get("time_budget") if run else None,
        workers=run["workers"] if run else 1,
        utilisation=progress.utilisation(),
        price=told,
        num_prompts=_num_prompts(scores),
        prompts={str(asset): _num_prompts(part) for asset, part in scores.groupby("asset")},
        looks=history.looks,
        first_prompt=int(starts.min()) if len(starts) else None,
        last_prompt=int(starts.max()) if len(starts) else None,
    )


def _pay(
    history: TrialHistory, rows: Sequence[ScoreRow], leads: Mapping[str, LeadTable], challenger: str | None
) -> list[PayRow]:
    run = history.run
    if run is None or "competition" not in run:
        return []
    return pay_rows(rows, leads, challenger, get_competition(run["competition"], run.get("rules")).beta)


def _horizons(
    history: TrialHistory, scores: pd.DataFrame, challenger: str | None, baseline: str, weights: Mapping[str, float]
) -> list[GroupRow]:
    days = _block_days(history)
    return [] if challenger is None or days is None else horizon_rows(scores, challenger, baseline, weights, days)


def _mixed(history: TrialHistory, scores: pd.DataFrame, challenger: str | None, weights: Mapping[str, float]) -> str:
    chosen, days = history.finals.chosen, _block_days(history)
    single = chosen.get("best_single") if chosen else None
    return "" if days is None else mix_sentence(scores, challenger, single, weights, days)


def _block_days(history: TrialHistory) -> int | None:
    """Length of the blocks of an interval, None where the journal does not tell the competition."""
    run = history.run
    if run is None or "competition" not in run:
        return None
    return block_days(get_competition(run["competition"], run.get("rules")).time_length)


def _num_prompts(scores: pd.DataFrame) -> int:
    return len(scores[["asset", "start_time"]].drop_duplicates())


def _trial_row(progress: Progress, record: TrialRecord, whole: Mapping[str, float]) -> TrialRow:
    last = record.last
    return TrialRow(
        id=record.id,
        source=record.candidate.source,
        parent=record.candidate.parent,
        rationale=record.candidate.rationale,
        architecture=sketch(record.candidate.config),
        config=record.candidate.config,
        state=record.status,
        rung=last["rung"] if last else 0,
        num_rungs=last["num_rungs"] if last else 0,
        score=record.score,
        relative=progress.relative(record.score),
        whole=None if record.score is None else progress.relative(whole[record.candidate.hash]),
        seconds=record.seconds,
        parameters=last.get("parameters") if last else None,
        elapsed=record.elapsed,
        usd=record.usd,
        gpu_hours=record.gpu_hours,
        curve=[(rung.get("steps", 0), own_score(rung)) for rung in record.rungs],
    )


def _losses(history: TrialHistory) -> dict[str, list[tuple[int, float]]]:
    """The training loss of each trial, where its trainer told it, beside the steps after which it was told."""
    told = {
        record.id: [(rung.get("steps", 0), rung["train_loss"]) for rung in record.rungs if "train_loss" in rung]
        for record in history.records
    }
    return {trial: points for trial, points in told.items() if points}


def _failures(history: TrialHistory) -> list[FailureGroup]:
    groups: dict[tuple[str, str], list[TrialRecord]] = defaultdict(list)
    for record in history.records:
        if record.status == FAILED:
            message = record.failure["message"] if record.failure else ""
            first = message.strip().split("\n")[0]
            groups[record.failure["class"] if record.failure else "unknown", first].append(record)
    return [
        FailureGroup(
            cause=cause,
            message=message,
            trials=[record.id for record in records],
            traceback=records[0].failure["traceback"] if records[0].failure else "",
        )
        for (cause, message), records in sorted(groups.items(), key=lambda item: -len(item[1]))
    ]


def _rejections(history: TrialHistory) -> list[RejectionGroup]:
    groups: dict[str, list[Rejection]] = defaultdict(list)
    for rejection in history.rejections:
        groups[rejection.stage].append(rejection)
    return [
        RejectionGroup(
            stage=stage,
            count=len(refused),
            sources=dict(Counter(rejection.source for rejection in refused)),
            examples=_examples(refused),
        )
        for stage, refused in sorted(groups.items(), key=lambda item: -len(item[1]))
    ]


def _examples(refused: Sequence[Rejection]) -> list[RejectionExample]:
    first = {rejection.reason: rejection.config for rejection in reversed(refused)}
    return [RejectionExample(reason=reason, config=first[reason]) for reason in list(first)[::-1][:_NUM_EXAMPLES]]


def _finals(history: TrialHistory, baselines: Sequence[str]) -> list[FinalRow]:
    finals = history.finals
    scores = finals.scores
    best = min((scores[name] for name in baselines if name in scores), default=None)
    weights = dict(zip(finals.mix["members"], finals.mix["weights"], strict=True)) if finals.mix else {}
    return [
        FinalRow(
            name=name,
            kind="baseline" if name in baselines else "candidate",
            frozen=name == finals.winner,
            score=scores[name],
            relative=None if best is None else 100 * (scores[name] - best) / best,
            weight=weights.get(name),
        )
        for name in sorted(scores, key=lambda name: scores[name])
    ]


def _degraded(progress: Progress, diagnostics: object, groups: object, *, is_over: bool) -> list[str]:
    history = progress.history
    notes = [_trouble_note(events) for events in _by_kind(history.troubles).values()]
    sessions = sum(session.announced for session in history.sessions)
    if sessions > 1:
        notes.append(f"The search took {sessions} sessions: it was interrupted or extended, and resumed.")
    if history.looks > 1:
        notes.append(
            f"The test period was looked at {history.looks} times, since the run was extended after a look: whoever "
            "goes on until a look pleases will be pleased by chance, so a verdict counts for less each time."
        )
    budget = history.run.get("time_budget") if history.run else None
    if budget is not None and history.used_seconds > budget:
        over = duration(history.used_seconds - budget)
        notes.append(f"The run took {over} more than its time budget of {duration(budget)}.")
    unfinished = sum(not record.finished for record in history.records)
    if unfinished and is_over:
        notes.append(f"{_many(unfinished, 'candidate')} had no end to training when the budget ran out.")
    if diagnostics is None and is_over:
        notes.append("Calibration and fan charts were not collected.")
    if groups is None and is_over:
        notes.append("Scores by hour and volatility regime were not computed.")
    return notes


def _by_kind(events: Iterable[Trouble]) -> dict[str, list[Trouble]]:
    groups: dict[str, list[Trouble]] = defaultdict(list)
    for event in events:
        one = event["note"] if event["kind"] == "degraded" else event.get("source", "")
        groups[f"{event['kind']} {one}"].append(event)
    return groups


def _trouble_note(events: Sequence[Trouble]) -> str:
    last = events[-1]
    times = {1: "once", 2: "twice"}.get(len(events), f"{len(events)} times")
    if last["kind"] == "worker_died":
        trials = ", ".join(dict.fromkeys(event["id"] for event in events if event["kind"] == "worker_died"))
        return f"A worker died {times} (in {trials}); its trial went on from its last checkpoint."
    if last["kind"] == "node_lost":
        trials = ", ".join(dict.fromkeys(event["id"] for event in events if event["kind"] == "node_lost"))
        return f"A trial lost its machine {times} ({trials}) and went on from its last checkpoint on another."
    if last["kind"] == "tune_lost":
        return f"Ray Tune's loop broke {times} and was started afresh, last with: {last['error']}"
    if last["kind"] == "proposer_failed":
        return f"The proposer {last['source']} failed {times}, last with: {last['error']}"
    if last["kind"] == "arm_state":
        how = "closed" if last["state"] == CLOSED else f"resting {times}"
        reason = f"no language model: {last['reason']}" if last["source"].startswith(LLM) else last["reason"]
        return f"The proposer {last['source']} was {how}: {reason}."
    if last["kind"] == "author_ended":
        return f"The author wrote no component {times}, last since: {last['reason'] or last['status']}"
    if last["kind"] == "degraded":
        return last["note"]
    return f"The run was interrupted {times}, last by: {last['reason']}"


def _many(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"

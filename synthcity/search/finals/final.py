"""From a search's best candidates to a verdict.

1. The best candidates are scored again, by the network's own score at 1,000 paths, on validation prompts that the
   search did not see; a search picks lucky ones, and luck does not repeat.
2. A mix of them, the best baseline and what the user's library and research beside the trials keep (``inputs``), where
   there is any, is fitted on the search's own validation prompts and scored on the fresh ones.
3. One of finalists, mix and baselines is chosen (``choice.RULE``). Its networks are trained once more, on train and
   validation together, and it is frozen into ``winner/`` with quantised paths, as it would mine.
4. Only then the test period is looked at, once: what was frozen against every baseline, and against the best one and
   the strongest kinds with quantised paths too. It gives the verdict and chooses nothing.

Every step is journalled when it is done, so a killed final goes on at the next one and never looks twice.

What is left of the time budget cuts the finals: see ``timing``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from synthcity.errors import RunError
from synthcity.files import atomic_file, atomic_write
from synthcity.forecast.baselines import BASELINES, STRONGEST, baseline
from synthcity.forecast.evaluation.diagnostics import DiagnosticsTold
from synthcity.forecast.forecaster import Forecaster
from synthcity.forecast.mixing import Mix
from synthcity.forecast.named import Named
from synthcity.forecast.quantise import Quantised
from synthcity.market.times import quarter_of_day
from synthcity.search.config import BudgetConfig
from synthcity.search.data import SearchData
from synthcity.search.finals.blend import fit_mix
from synthcity.search.finals.choice import MIX, choose, stage_seed
from synthcity.search.finals.contenders import enter, select
from synthcity.search.finals.forecasters import kept_forecasters
from synthcity.search.finals.found import found_members
from synthcity.search.finals.scoring import OwnRow, Scorer
from synthcity.search.finals.timing import FinalsClock, note_refit
from synthcity.search.journal.events import (
    Baselines,
    Chosen,
    Degraded,
    MixTold,
    RunStarted,
    SeenTest,
    Winner,
)
from synthcity.search.journal.history import TrialRecord
from synthcity.search.journal.recorder import Recorder

Refit = Callable[[Sequence[TrialRecord], float | None], Mapping[str, Forecaster]]
TEST_SCORES = "test_scores.parquet"
DIAGNOSTICS = "diagnostics.json"
WINNER = "winner"


@dataclass(frozen=True, eq=False, kw_only=True)
class TestLook:
    """The one look at the test period: ``scores`` in long form, ``diagnostics`` of the challenger or None."""

    scores: pd.DataFrame
    diagnostics: DiagnosticsTold | None
    challenger: str | None


def read_scores(folder: Path, *, run: Path | None = None) -> pd.DataFrame:
    """Read what the look at the test period saw, in long form: asset, start_time, forecaster, total and more.

    Args:
        folder: where it lies.
        run: the folder that an error names, where ``folder`` is a copy of it.

    Raises:
        RunError: it is gone, or no such table.
    """
    try:
        table = pd.read_parquet(folder / TEST_SCORES)
        return table.astype({"asset": str, "start_time": int, "forecaster": str, "total": float})
    except (OSError, ValueError, KeyError, TypeError) as error:
        is_gone = isinstance(error, FileNotFoundError)
        where, what = (run or folder) / TEST_SCORES, "it is gone" if is_gone else " ".join(str(error).split())[:200]
        raise RunError(f"{where} cannot be read: {what}") from error


def score_baselines(recorder: Recorder, data: SearchData, scorer: Scorer, *, seed: int) -> None:
    """Score every baseline on the search's validation prompts, in the trainer's terms: the law, not an ensemble."""
    if recorder.last(Baselines):
        return
    recorder.emit("stage", name="baselines", message=f"scoring {len(BASELINES)} baselines on validation prompts")
    names, begin = list(BASELINES), scorer.seconds
    rows = scorer.own_scores([baseline(name) for name in names], data.validation_prompts(fresh=False), seed=seed)
    means = np.average([row.scores for row in rows], axis=0, weights=[row.weight for row in rows])
    scores = dict(zip(names, map(float, means), strict=True))
    best = names.index(min(scores, key=lambda name: scores[name]))
    recorder.emit(
        "baselines",
        scores=scores,
        by_asset=_means(rows, best, lambda row: row.asset),
        by_hour=_means(rows, best, lambda row: quarter_of_day(row.start)),
        seconds=round(scorer.seconds - begin, 3),
    )


def _means(rows: Sequence[OwnRow], member: int, group: Callable[[OwnRow], str]) -> dict[str, float]:
    """Return a member's weighted mean score in each group of prompts."""
    scores = np.array([row.scores[member] for row in rows])
    names, which = np.unique([group(row) for row in rows], return_inverse=True)
    weight = np.array([row.weight for row in rows])
    means = np.bincount(which, weights=weight * scores) / np.bincount(which, weights=weight)
    return dict(zip(map(str, names), means.tolist(), strict=True))


def run_final(
    *,
    recorder: Recorder,
    data: SearchData,
    scorer: Scorer,
    folder: Path,
    storage: str,
    budget: BudgetConfig,
    refit: Refit,
) -> TestLook:
    """Run the protocol, or what is left of it.

    Args:
        recorder: of the run.
        data: its prices.
        scorer: draws and scores.
        folder: of the run.
        storage: where the checkpoints are.
        budget: how many finalists, seeds and seconds there are.
        refit: trains records again within so many seconds, None for any time; what it has not finished is left out.

    Raises:
        RunError: what the test showed is gone, or the states of all trials are.
    """
    if recorder.last(SeenTest):
        return _seen(recorder, folder)
    clock = FinalsClock(recorder, budget)
    entrants = enter(recorder, storage, scorer.workers, clock, budget, data.inputs)
    networks: dict[str, Forecaster] = {**entrants.networks}
    baselines: dict[str, Forecaster] = {name: baseline(name) for name in BASELINES}
    learned: dict[str, Forecaster] = {} if data.inputs is None else {data.inputs.name: data.inputs}
    inputs = {**learned, **kept_forecasters(recorder, folder), **found_members(recorder, folder)}
    if not recorder.last(Chosen):
        members = {**networks, **_best_baseline(recorder, baselines), **inputs}
        fit_mix(recorder, data, scorer, members, seed=budget.seed)
        entered = _with_mix(recorder, networks, baselines, inputs)
        choose(recorder, data, scorer, entered, baselines, clock=clock, budget=budget)
    frozen = recorder.last(Winner) is not None  # then the look is at what was frozen, and nothing is trained any more
    seconds = 0.0 if frozen else clock.seconds_for_refit(len(data.test_prompts()))
    chosen = [record for record in entrants.records if record.id in _members(recorder)]
    refitted = refit(chosen, seconds)
    if any(record.id not in networks and record.id not in refitted for record in chosen):
        select(
            recorder, storage, scorer.workers, clock, budget, data.inputs
        )  # which voids the choice: the finals are held again
        return run_final(
            recorder=recorder, data=data, scorer=scorer, folder=folder, storage=storage, budget=budget, refit=refit
        )
    if not frozen:
        note_refit(recorder, chosen, refitted)
    deployed = _with_mix(recorder, {**networks, **refitted}, baselines, inputs)
    if not frozen:
        _freeze(recorder, data, {**deployed, **baselines}, folder, seed=budget.seed)
    _look(recorder, data, scorer, deployed, baselines, folder, seed=budget.seed)
    return _seen(recorder, folder)


def _best_baseline(recorder: Recorder, baselines: Mapping[str, Forecaster]) -> dict[str, Forecaster]:
    """Return the baseline that was best on the prompts of the search: it may have a part in the mix."""
    scores = recorder.history.baselines
    name = min(scores, key=lambda key: (scores[key], key), default=None)
    return {} if name is None else {name: baselines[name]}


def _with_mix(
    recorder: Recorder,
    networks: Mapping[str, Forecaster],
    baselines: Mapping[str, Forecaster],
    inputs: Mapping[str, Forecaster],
) -> dict[str, Forecaster]:
    """Return ``networks`` and, where the journal knows one and all members are there, their mix.

    A mix of one network or baseline is no other contender; one of what the library keeps alone is.
    """
    event = recorder.last(MixTold)
    everyone = {**networks, **baselines, **inputs}
    if event is None or not everyone.keys() >= set(event["members"]):
        return dict(networks)
    if len(event["members"]) == 1 and event["members"][0] not in inputs:
        return dict(networks)
    return {**networks, MIX: Mix([everyone[name] for name in event["members"]], event["weights"], name=MIX)}


def _members(recorder: Recorder) -> set[str]:
    """Names of everyone who has a part in what was chosen."""
    choice, mix = recorder.last(Chosen), recorder.last(MixTold)
    assert choice is not None
    names = {name for name in (choice["challenger"], choice["best_single"]) if name is not None}
    return names | set(mix["members"] if mix is not None and MIX in names else ())


def _freeze(
    recorder: Recorder, data: SearchData, everyone: Mapping[str, Forecaster], folder: Path, *, seed: int
) -> None:
    """Save what was chosen, as it would mine."""
    choice = recorder.last(Chosen)
    assert choice is not None
    name = choice["name"]
    scores = dict(recorder.history.finals.scores)
    Quantised(everyone[name]).save(
        folder / WINNER, metrics={"validation": scores}, manifest=_manifest(recorder, data, name, seed)
    )
    recorder.emit("winner", name=name, bundle=WINNER)


def _look(
    recorder: Recorder,
    data: SearchData,
    scorer: Scorer,
    contenders: Mapping[str, Forecaster],
    baselines: Mapping[str, Forecaster],
    folder: Path,
    *,
    seed: int,
) -> None:
    """Look at the test period and write down what was seen."""
    choice = recorder.last(Chosen)
    assert choice is not None
    challenger = choice["challenger"]
    recorder.emit("stage", name="test", message="the one look at the test period")
    names = dict.fromkeys(name for name in (challenger, choice["best_single"]) if name is not None)
    everyone = [
        *(Named(Quantised(contenders[name]), name) for name in names),
        *([Named(contenders[challenger], f"{challenger} plain")] if challenger else []),
        *baselines.values(),
        *(Quantised(baselines[name]) for name in dict.fromkeys((choice["best_baseline"], *STRONGEST))),
    ]
    prompts = data.test_prompts()
    best = Quantised(baselines[choice["best_baseline"]]).name
    scores, diagnostics = scorer.scores_and_diagnostics(everyone, prompts, seed=stage_seed(seed, 0), rival=best)
    _keep(folder, scores, diagnostics.result() if challenger else None)
    num_scored = len(scores[["asset", "start_time"]].drop_duplicates())
    recorder.emit(
        "test_scored",
        scores=TEST_SCORES,
        diagnostics=DIAGNOSTICS,
        num_prompts=num_scored,
        num_dropped=len(prompts) - num_scored,
        lost=dict(scorer.lost),
    )


def _seen(recorder: Recorder, folder: Path) -> TestLook:
    """Read what the one look saw."""
    choice = recorder.last(Chosen)
    assert choice is not None
    try:
        return TestLook(
            scores=read_scores(folder),
            diagnostics=json.loads((folder / DIAGNOSTICS).read_text(encoding="utf-8")),
            challenger=choice["challenger"],
        )
    except (OSError, ValueError, RunError) as error:
        raise RunError(f"the test scores in {folder} are gone or damaged; the test is not looked at twice") from error


def _manifest(recorder: Recorder, data: SearchData, name: str, seed: int) -> dict[str, object]:
    start = recorder.last(RunStarted)
    manifest: dict[str, object] = {
        **data.facts.to_manifest(),
        "winner": name,
        "seed": seed,
        "versions": start.get("versions", {}) if start else {},
        "command": start.get("command", "") if start else "",
    }
    told = recorder.all(Degraded)
    notes = {
        "cuts": [event["note"] for event in told if event.get("cut")],
        "lost": [event["note"] for event in told if event.get("lost")],
    }
    return manifest | {key: found for key, found in notes.items() if found}


def _keep(folder: Path, scores: pd.DataFrame, diagnostics: DiagnosticsTold | None) -> None:
    try:
        with atomic_file(folder / TEST_SCORES) as draft:
            scores.to_parquet(draft, index=False)
        atomic_write(folder / DIAGNOSTICS, json.dumps(diagnostics))
    except OSError as error:
        raise RunError(f"cannot write what the test showed to {folder}: {error.strerror or error}") from error

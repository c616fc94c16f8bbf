"""From a search's best candidates to a verdict.

1. The best candidates are scored again, by the network's own score at 1,000 paths, on validation prompts that the
   search did not see; a search picks lucky ones, and luck does not repeat.
2. A mix of them is fitted on the search's own validation prompts and scored on the fresh ones too.
3. The best of finalists, mix and baselines on the fresh prompts is frozen into ``winner/``.
4. Only then the test period is looked at, once: the frozen challenger against every baseline. It gives the verdict
   and chooses nothing.

Every step is journalled when it is done, so a killed final goes on at the next one and never looks twice.

=================  =================================================================================
kind               fields
=================  =================================================================================
``finalist``       ``name``, ``id`` (None for a mix or baseline), ``score`` on fresh validation prompts
``mix``            ``members`` (names), ``weights``
``winner``         ``name``, ``challenger`` (best that is no baseline), ``best_single``, ``bundle``
``test_scored``    ``scores`` (file), ``diagnostics`` (file), ``num_prompts``, ``num_dropped``
``verdict``        see ``verdict.judge``
=================  =================================================================================
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from synthcity.errors import Fatal, RunError
from synthcity.forecast.baselines import BASELINES, baseline
from synthcity.forecast.bundle import Savable
from synthcity.forecast.compare import mean_score
from synthcity.forecast.forecaster import Forecaster
from synthcity.forecast.mixing import Mix
from synthcity.forecast.weights import solve_weights
from synthcity.search.data import SearchData
from synthcity.search.finalist import Finalist
from synthcity.search.recorder import Recorder
from synthcity.search.scoring import Scorer

MIX = "mix"
TEST_SCORES = "test_scores.parquet"
DIAGNOSTICS = "diagnostics.json"
WINNER = "winner"
_MIN_WEIGHT = 0.02  # a member with fewer than 20 of 1,000 paths is not worth its computing time


@dataclass(frozen=True, eq=False, kw_only=True)
class TestLook:
    """The one look at the test period: ``scores`` in long form, ``diagnostics`` of the challenger or None."""

    scores: pd.DataFrame
    diagnostics: Mapping[str, Any] | None
    challenger: str | None


def score_baselines(recorder: Recorder, data: SearchData, scorer: Scorer, *, seed: int) -> None:
    """Score every baseline on the search's validation prompts, in the trainer's terms: the law, not an ensemble."""
    if recorder.last("baselines"):
        return
    names = list(BASELINES)
    pairs = scorer.pair_terms([baseline(name) for name in names], data.validation_prompts(fresh=False), seed=seed)
    scores = {name: float(pairs.to_realised[k] - 0.5 * pairs.apart[k, k]) for k, name in enumerate(names)}
    recorder.emit("baselines", scores=scores)


def run_final(
    *,
    recorder: Recorder,
    data: SearchData,
    scorer: Scorer,
    folder: Path,
    storage: str,
    finalists: int,
    num_seeds: int,
    seed: int,
) -> TestLook:
    """Run the protocol, or what is left of it. ``storage``: where the checkpoints are."""
    if recorder.last("test_scored"):
        return _seen(recorder, folder)
    records = recorder.history.saved[:finalists]
    contenders: dict[str, Forecaster] = {r.candidate.id: Finalist.from_record(r, storage) for r in records}
    mix = _mix(recorder, data, scorer, contenders, seed=seed) if len(contenders) > 1 else None
    if mix is not None:
        contenders[MIX] = mix
    baselines: dict[str, Forecaster] = {name: baseline(name) for name in BASELINES}
    if not recorder.last("winner"):
        _choose(recorder, data, scorer, contenders, baselines, folder, num_seeds=num_seeds, seed=seed)
    choice = recorder.last("winner")
    assert choice is not None
    _look(recorder, data, scorer, contenders, baselines, choice, folder, seed=seed)
    return _seen(recorder, folder)


def _mix(
    recorder: Recorder, data: SearchData, scorer: Scorer, contenders: Mapping[str, Forecaster], *, seed: int
) -> Mix | None:
    """Fit the weights on the prompts of the search, or take those of the journal; None if one network is best."""
    if not recorder.last("mix"):
        recorder.emit("stage", name="mix", message=f"fitting a mix of {len(contenders)} networks")
        names = list(contenders)
        pairs = scorer.pair_terms(list(contenders.values()), data.validation_prompts(fresh=False), seed=seed)
        weights = solve_weights(pairs)
        weights[weights < _MIN_WEIGHT] = 0.0
        weights /= weights.sum()
        kept = [k for k in range(len(names)) if weights[k] > 0]
        recorder.emit("mix", members=[names[k] for k in kept], weights=[float(weights[k]) for k in kept])
    event = recorder.last("mix")
    assert event is not None
    if len(event["members"]) == 1:
        return None
    return Mix([contenders[name] for name in event["members"]], event["weights"], name=MIX)


def _choose(
    recorder: Recorder,
    data: SearchData,
    scorer: Scorer,
    contenders: Mapping[str, Forecaster],
    baselines: Mapping[str, Forecaster],
    folder: Path,
    *,
    num_seeds: int,
    seed: int,
) -> None:
    """Score everyone on fresh validation prompts and freeze the best."""
    everyone = {**contenders, **baselines}
    recorder.emit("stage", name="finals", message=f"scoring {len(contenders)} finalists on fresh validation prompts")
    prompts = data.validation_prompts(fresh=True)
    parts = [scorer.scores(list(everyone.values()), prompts, seed=_seed(seed, 1 + k)) for k in range(num_seeds)]
    means = [mean_score(part, data.rules) for part in parts]
    scores = {name: float(np.mean([mean[name] for mean in means])) for name in everyone}
    for name, score in scores.items():
        single = name in recorder.history.trials
        recorder.emit("finalist", name=name, id=name if single else None, score=score)
    ranked = sorted(scores, key=lambda name: (scores[name], name))
    challenger = next((name for name in ranked if name in contenders), None)
    winner = everyone[ranked[0]]
    if not isinstance(winner, Savable):
        raise Fatal(f"the winner {ranked[0]} cannot be saved: {type(winner).__name__} has no save method")
    winner.save(folder / WINNER, metrics={"validation": scores}, manifest=_manifest(recorder, data, ranked[0]))
    recorder.emit(
        "winner",
        name=ranked[0],
        challenger=challenger,
        best_single=next((name for name in ranked if name in recorder.history.trials), None),
        bundle=WINNER,
    )


def _look(
    recorder: Recorder,
    data: SearchData,
    scorer: Scorer,
    contenders: Mapping[str, Forecaster],
    baselines: Mapping[str, Forecaster],
    choice: Mapping[str, Any],
    folder: Path,
    *,
    seed: int,
) -> None:
    """Look at the test period and write down what was seen."""
    challenger = choice["challenger"]
    recorder.emit("stage", name="test", message="the one look at the test period")
    names = dict.fromkeys(name for name in (challenger, choice["best_single"]) if name is not None)
    everyone = [contenders[name] for name in names] + list(baselines.values())
    prompts = data.test_prompts()
    scores, diagnostics = scorer.scores_and_diagnostics(everyone, prompts, seed=_seed(seed, 0))
    _replace(folder / TEST_SCORES, lambda path: scores.to_parquet(path, index=False))
    seen = json.dumps(diagnostics.result() if challenger else None)
    _replace(folder / DIAGNOSTICS, lambda path: path.write_text(seen, encoding="utf-8"))
    num_scored = len(scores[["asset", "start_time"]].drop_duplicates())
    recorder.emit(
        "test_scored",
        scores=TEST_SCORES,
        diagnostics=DIAGNOSTICS,
        num_prompts=num_scored,
        num_dropped=len(prompts) - num_scored,
    )


def _seen(recorder: Recorder, folder: Path) -> TestLook:
    """Read what the one look saw."""
    choice = recorder.last("winner")
    assert choice is not None
    try:
        return TestLook(
            scores=pd.read_parquet(folder / TEST_SCORES),
            diagnostics=json.loads((folder / DIAGNOSTICS).read_text(encoding="utf-8")),
            challenger=choice["challenger"],
        )
    except (OSError, ValueError) as error:
        raise RunError(f"the test scores in {folder} are gone or damaged; the test is not looked at twice") from error


def _manifest(recorder: Recorder, data: SearchData, name: str) -> dict[str, Any]:
    start = recorder.last("run_started") or {}
    return {
        "winner": name,
        "competition": data.competition.name,
        "rules": data.rules.date,
        "assets": list(data.assets),
        "periods": {k: str(getattr(data.periods, k)) for k in ("train", "validation", "test")},
        "seed": start.get("config", {}).get("search", {}).get("seed"),
        "versions": start.get("versions", {}),
        "command": start.get("command", ""),
    }


def _seed(seed: int, stage: int) -> int:
    """Return a seed for one stage: fresh draws for validation, others for the test."""
    return 1000 * seed + stage


def _replace(path: Path, write: Any) -> None:
    partial = path.with_name(f".{path.name}.partial")
    try:
        write(partial)
        partial.replace(path)
    except OSError as error:
        raise RunError(f"cannot write {path}: {error.strerror or error}") from error

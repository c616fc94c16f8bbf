"""Which contender is frozen: chosen by scores on fresh validation prompts, by a rule that is told wherever it shows."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from synthcity.forecast.evaluation.compare import coefficients, lead, mean_score
from synthcity.forecast.evaluation.interval import block_days
from synthcity.forecast.forecaster import Forecaster
from synthcity.search.config import BudgetConfig
from synthcity.search.data import SearchData
from synthcity.search.finals.scoring import Scorer
from synthcity.search.finals.timing import FinalsClock
from synthcity.search.journal.recorder import Recorder

MIX = "mix"
RULE = (
    "The best score on fresh validation prompts is frozen, with one exception: a mix that beats every baseline goes "
    "before a network that leads it by no more than chance (a paired interval that holds zero), since a mix scores no "
    "worse than its members do on average and these prompts are few."
)


def choose(
    recorder: Recorder,
    data: SearchData,
    scorer: Scorer,
    contenders: Mapping[str, Forecaster],
    baselines: Mapping[str, Forecaster],
    *,
    clock: FinalsClock,
    budget: BudgetConfig,
) -> None:
    """Score everyone on fresh validation prompts and choose by ``RULE``."""
    everyone = {**contenders, **baselines}
    recorder.emit("stage", name="finals", message=f"scoring {len(contenders)} finalists on fresh validation prompts")
    prompts = data.validation_prompts(fresh=True)
    parts: list[pd.DataFrame] = []
    begin = scorer.seconds
    for k in range(budget.final_seeds):
        parts.append(scorer.scores(list(everyone.values()), prompts, seed=stage_seed(budget.seed, 1 + k)))
        cost = (scorer.seconds - begin) / (len(parts) * len(prompts) * len(everyone))
        if not clock.another_draw(cost, len(everyone), len(prompts), len(data.test_prompts())):
            clock.note_draws(len(parts))
            break
    keys = ["forecaster", "asset", "start_time"]
    table = pd.concat(parts).groupby(keys, sort=False)[["total"]].mean().reset_index()
    found = mean_score(table, data.rules)
    scores = {name: float(found[name]) for name in everyone}
    for name in everyone:
        single = name in recorder.history.trials
        recorder.emit("finalist", name=name, id=name if single else None, score=scores[name])
    ranked = sorted(everyone, key=lambda name: (scores[name], name))
    best_single = next((name for name in ranked if name in recorder.history.trials), None)
    best_baseline = next(name for name in ranked if name in baselines)
    challenger = next((name for name in ranked if name in contenders), None)
    if MIX in contenders and scores[MIX] < scores[best_baseline] and not _beats(challenger, MIX, table, data):
        challenger = MIX
    name = next(name for name in ranked if name in (challenger, best_baseline))
    recorder.emit(
        "chosen",
        name=name,
        challenger=challenger,
        best_single=best_single,
        best_baseline=best_baseline,
        why=why(name, scores),
        seconds_per_score=cost,
    )


def why(name: str, scores: Mapping[str, float]) -> str:
    """Say in a sentence why ``name`` is frozen, by the ``scores`` of all on fresh validation prompts."""
    best = min(scores, key=lambda each: (scores[each], each))
    if name == best:
        return f"{name} is frozen: with {scores[name]:.1f} the best on fresh validation prompts"
    return (
        f"{name} is frozen with {scores[name]:.1f} on fresh validation prompts: {best} scores {scores[best]:.1f} "
        "there, a lead that may be chance, and then a mix that beats every baseline goes first"
    )


def _beats(best: str | None, mix: str, scores: pd.DataFrame, data: SearchData) -> bool:
    """Whether ``best`` is better than ``mix`` beyond chance."""
    if best is None or best == mix:
        return False
    days = block_days(data.competition.time_length)
    return lead(scores, best, mix, weights=coefficients(scores, data.rules), block_days=days).proven


def stage_seed(seed: int, stage: int) -> int:
    """Return a seed for one stage: fresh draws for validation (1, 2, ...), others for the test (0)."""
    return 1000 * seed + stage

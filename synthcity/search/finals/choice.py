"""Which contender is frozen: by a rule that chance does not decide, told wherever its outcome shows."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import pandas as pd

from synthcity.forecast.evaluation.compare import mean_score
from synthcity.forecast.evaluation.evidence import Estimate, paired
from synthcity.forecast.evaluation.interval import block_days
from synthcity.forecast.forecaster import Forecaster
from synthcity.search.arms import RERUN
from synthcity.search.config import BudgetConfig
from synthcity.search.data import SearchData
from synthcity.search.finals.ranking import Ranking, both, by_block, rank
from synthcity.search.finals.scoring import Scorer
from synthcity.search.finals.timing import FinalsClock
from synthcity.search.journal.events import MixTold
from synthcity.search.journal.history import TrialHistory
from synthcity.search.journal.recorder import Recorder

MIX = "mix"
RULE = (
    "Networks are compared in pairs with the best of those that the search began with, on the validation days of the "
    "search and on fresh prompts, and a difference is believed in part only, the less the noisier it is. What the "
    "search began with stays unless another network is better by more than the noise that is left. A mix goes before "
    "the network if it gains on days that its weights were not fitted on and beats every baseline. A baseline that "
    "scores better on the fresh prompts than what goes on is frozen instead."
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
    networks = [name for name in contenders if name in recorder.history.trials]
    days = block_days(data.competition.time_length)
    ranking = rank(recorder.history, networks, table, data.rules, days) if networks else None
    best_baseline = min(baselines, key=lambda name: (scores[name], name))
    challenger = None if ranking is None else ranking.best
    gain = None
    if MIX in contenders and ranking is not None:
        gain = _gain(recorder, ranking.best, table, data, days)
        challenger = MIX if gain.mean < 0 and scores[MIX] < scores[best_baseline] else ranking.best
    beaten = challenger is not None and (scores[challenger], challenger) < (scores[best_baseline], best_baseline)
    name = challenger if challenger is not None and beaten else best_baseline
    recorder.emit(
        "chosen",
        name=name,
        challenger=challenger,
        best_single=None if ranking is None else ranking.best,
        best_baseline=best_baseline,
        why=why(name, scores, ranking, gain, _trained_again(recorder.history)),
        incumbent=None if ranking is None else ranking.incumbent,
        estimates={} if ranking is None else {n: [e.mean, e.error] for n, e in ranking.estimates.items()},
        stays=ranking is not None and ranking.stays,
        seconds_per_score=cost,
    )


def why(
    name: str,
    scores: Mapping[str, float],
    ranking: Ranking | None = None,
    gain: Estimate | None = None,
    again: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """Say why ``name`` is frozen, by the ``scores`` of all on fresh validation prompts and what they are worth.

    ``again`` tells of trials that are an earlier one on another seed, which that one was.
    """
    said = f"{name} is frozen with {scores[name]:.1f} on fresh validation prompts"
    if ranking is None:
        return said
    if name == MIX and gain is not None:
        said += f": by weights of other days it is {_size(gain)} than {ranking.best}"
    elif name != ranking.best:
        said += f": {ranking.best} scores {scores[ranking.best]:.1f} there"
    first, best = ranking.incumbent, ranking.estimates[ranking.best]
    if ranking.stays:
        found = "no network that the search found is better by more than noise"
        which = f"{first}, which is {again[first]} on another seed" if first in again else first
        return f"{said}. What the search began with stays ({which}): {found}"
    if ranking.best != first:
        return f"{said}. {ranking.best} is {_size(best)} than {first}, the best of the networks that it began with"
    return said


def _trained_again(history: TrialHistory) -> dict[str, str]:
    """A candidate that the search itself had trained on a fresh seed looks like a late one, and is an early one."""
    told = [record.candidate for record in history.records if record.candidate.source == RERUN]
    return {candidate.id: candidate.parent for candidate in told if candidate.parent is not None}


def _size(found: Estimate) -> str:
    return f"{abs(found.mean):.2f} % {'better' if found.mean < 0 else 'worse'} (noise {found.error:.2f} %)"


def _gain(recorder: Recorder, single: str, scores: pd.DataFrame, data: SearchData, days: int) -> Estimate:
    """What the mix gains over the network ``single``: cross-fitted on the search's prompts, and on the fresh ones."""
    fresh = by_block(scores, [MIX, single], data.rules, days)
    [found] = paired(fresh.scores_kb[:1], fresh.scores_kb[1], fresh.weight_b)
    told = recorder.last(MixTold)
    gains = told.get("gains", {}) if told is not None else {}
    if single not in gains:
        return found
    mean, error = gains[single]
    return both(found, Estimate(mean=mean, error=error))


def stage_seed(seed: int, stage: int) -> int:
    """Return a seed for one stage: fresh draws for validation (1, 2, ...), others for the test (0)."""
    return 1000 * seed + stage

"""Whether what a run found may go on: the publisher's gate, then the level of its look, the champion included.

The gate asks what one run proves at 95 % against every baseline. A loop looks often, so each look is held to its own
level (``spending``), over the baseline that scored best and over the champion, whom the search never saw and who
answers the same prompts of the test period beside the winner. (At levels of a thousandth the interval over a baseline
that is far behind may reach across zero where days are few and skewed, which says nothing about the best.)

What does not prove that, but is what it says it is and leads both surely enough, may race without a claim.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from synthcity.forecast.bundles.choose import choose, identify
from synthcity.forecast.bundles.suitability import learned_from
from synthcity.forecast.evaluation.backtest import backtest
from synthcity.forecast.evaluation.compare import Lead, lead, mean_score
from synthcity.forecast.evaluation.interval import block_days
from synthcity.forecast.forecaster import covers
from synthcity.forecast.named import Named
from synthcity.pipeline.events import Began, Judged, LeadTold
from synthcity.pipeline.spending import TRIAL, confidence
from synthcity.publish.checks import proven
from synthcity.publish.gate import gate
from synthcity.search.config import SearchConfig
from synthcity.search.data import load_prices
from synthcity.search.finals.choice import stage_seed
from synthcity.search.finals.final import WINNER
from synthcity.search.report.outcome import baselines_of
from synthcity.settings import Settings
from synthcity.sn50.competitions import get_competition, get_rules
from synthcity.sn50.prompt import Prompt

CHAMPION = "the champion"


@dataclass(frozen=True, kw_only=True)
class Look:
    """What was seen: scores of one test period in long form, of ``name`` and of whom it has to beat.

    A champion that was made for some of the prompts has no others.
    """

    scores: pd.DataFrame
    name: str
    rivals: Sequence[str]
    weights: Mapping[str, float]
    block_days: int


def examine(run: Path, began: Began, config: SearchConfig, settings: Settings, *, is_rehearsal: bool) -> Judged:
    """Judge a finished run.

    Args:
        run: its folder.
        began: the round, with its level and whom it has to beat.
        config: of the search.
        settings: whose secrets must not be in what leaves.
        is_rehearsal: prices, and wherever anything goes, are stand-ins.

    Raises:
        SynthcityError: the champion, or the prices that it is to answer for, cannot be read.
    """
    with gate(run, settings, is_rehearsal=is_rehearsal, is_claim=False) as examined:
        found = examined.sound
        if found is None:
            return Judged(round=began.round, passed=False, reason=examined.reason)
        chosen, rules = found.history.finals.chosen, get_rules(found.told["rules"])
        assert chosen is not None
        name, scores = str(chosen["challenger"]), found.scores[["asset", "start_time", "forecaster", "total"]]
        baselines = scores[scores["forecaster"].isin(baselines_of(scores))]
        rivals = [str(mean_score(baselines, rules).idxmin())]
        bundle = found.bundle_hash
        if began.rival:
            if identify(began.rival) == bundle:
                return Judged(round=began.round, passed=False, reason="it is the champion itself", bundle=bundle)
            test = began.periods.test
            if reason := learned_from(began.rival, test.start, test.end, began.competition):
                return Judged(round=began.round, passed=False, reason=f"no comparison: {reason}", bundle=bundle)
            answered = _answered(scores, began, config)
            if not answered.empty:
                scores = pd.concat([scores, answered])
                rivals = [*rivals, CHAMPION]
        competition = get_competition(found.told["competition"], rules)
        weights = {asset: rules.coefficient(asset) for asset in found.told["assets"]}
        days = block_days(competition.time_length)
        look = Look(scores=scores, name=name, rivals=rivals, weights=weights, block_days=days)
        return judge(look, began, bundle, against=proven(found))


def judge(look: Look, began: Began, bundle: str, *, against: str = "") -> Judged:
    """Hold the leads of a look to the level of its round: the whole interval of every one must lie below zero.

    Args:
        look: what was seen.
        began: the round, with its level.
        bundle: hash of the winner.
        against: what the gate has against a claim.
    """
    claimed, tried = _leads(look, confidence(began.level)), _leads(look, confidence(TRIAL))
    passed = not against and all(one.proven for one in claimed.values())
    on_trial = not passed and all(one.proven for one in tried.values())
    shown, sure = (tried, confidence(TRIAL)) if on_trial else (claimed, confidence(began.level))
    weakest = max(shown, key=lambda name: shown[name].high)
    one = shown[weakest]
    found = f"{one.mean:+.2f} % against {weakest}, {100 * sure:.2f} % interval {one.low:+.2f} to {one.high:+.2f} %"
    reason = f"nothing is proven: {found}"
    if passed:
        reason = f"better than all it has to beat, the closest by {found}"
    elif on_trial:
        reason = f"nothing is proven, and it may race without a claim: {found}"
    told = {name: _told(one) for name, one in claimed.items()}
    return Judged(round=began.round, passed=passed, reason=reason, bundle=bundle, on_trial=on_trial, leads=told)


def _leads(look: Look, sure: float) -> dict[str, Lead]:
    return {
        rival: lead(
            _between(look.scores, look.name, rival),
            look.name,
            rival,
            block_days=look.block_days,
            weights=look.weights,
            confidence=sure,
        )
        for rival in look.rivals
    }


def winner_of(run: Path) -> Path:
    """Return the bundle of a run."""
    return run / WINNER


def _answered(scores: pd.DataFrame, began: Began, config: SearchConfig) -> pd.DataFrame:
    """Let the champion answer the prompts of the look, from the same draws: those that it was made for, maybe none."""
    competition = get_competition(config.competition, get_rules(config.rules))
    grid = {"time_length": competition.time_length, "time_increment": competition.time_increment}
    asked = scores[["asset", "start_time"]].drop_duplicates().itertuples(index=False)
    champion = Named(choose(began.rival), CHAMPION)
    prompts = [Prompt(asset=str(asset), start_time=int(start), **grid) for asset, start in asked]
    prompts = [prompt for prompt in prompts if covers(champion, prompt)]
    if not prompts:
        return pd.DataFrame(columns=["asset", "start_time", "forecaster", "total"])
    market = load_prices(config.data, began.assets, competition.time_increment, began.periods.test.end)
    seed = stage_seed(config.search.seed, 0)
    done = backtest([champion], market, prompts, competition, seed=seed)
    return done.scores[["asset", "start_time", "forecaster", "total"]]


def _between(scores: pd.DataFrame, name: str, rival: str) -> pd.DataFrame:
    """Keep the scores of two, on the prompts that the rival answered."""
    both = scores[scores["forecaster"].isin([name, rival])]
    answered = both.groupby(["asset", "start_time"])["forecaster"].transform(lambda told: rival in set(told))
    return both[answered.astype(bool)].reset_index(drop=True)


def _told(one: Lead) -> LeadTold:
    def known(value: float) -> float | None:
        return value if math.isfinite(value) else None

    return LeadTold(mean=one.mean, low=known(one.low), high=known(one.high))

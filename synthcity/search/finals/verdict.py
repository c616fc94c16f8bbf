"""What the one look at the test period says, in numbers and in one sentence.

Leads and relative scores are 100 (score - baseline) / baseline, in percent, negative when better.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypedDict

import pandas as pd


class LeadInterval(TypedDict):
    """A lead in percent with its 95 % interval; None where there are too few days for one."""

    mean: float
    low: float | None
    high: float | None


class LeadTable(LeadInterval):
    """The coefficient-weighted lead over one baseline, and by asset."""

    by_asset: dict[str, LeadInterval]


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


def score_rows(
    scores: pd.DataFrame, challenger: str | None, baselines: Sequence[str], weights: Mapping[str, float]
) -> list[ScoreRow]:
    """Mean score of each forecaster by asset and weighted over all prompts as the network does, best first.

    Raises:
        ValueError: a forecaster has no scores, or there is no baseline.
    """
    names = set(scores["forecaster"])
    missing = [name for name in (*baselines, *([challenger] if challenger else [])) if name not in names]
    if missing or not baselines:
        raise ValueError(f"no scores of {missing} among {sorted(names)}; baselines are {list(baselines)}")
    table = scores.pivot_table(index="forecaster", columns="asset", values="total", aggfunc="mean")
    weight = scores["asset"].map(lambda asset: weights.get(asset, 1.0))
    sums = pd.DataFrame({"score": weight * scores["total"], "weight": weight}).groupby(scores["forecaster"]).sum()
    mean = sums["score"] / sums["weight"]
    best = mean[list(baselines)].min()
    return [
        ScoreRow(
            name=str(name),
            kind="baseline" if name in baselines else "candidate",
            by_asset={str(asset): float(value) for asset, value in table.loc[name].dropna().items()},
            mean=float(mean[name]),
            relative=float(100 * (mean[name] - best) / best),
        )
        for name in mean.sort_values().index
    ]


def judge(
    rows: Sequence[ScoreRow],
    leads: Mapping[str, LeadTable],
    challenger: str | None,
    *,
    frozen: str | None,
    num_prompts: int,
    looks: int = 1,
    is_simulated: bool = False,
) -> Verdict:
    """Say in one sentence what the test period proves.

    A lead is proven where its whole 95 % interval lies below zero, whoever wins. A baseline that scores better than the
    challenger is the winner, whatever the intervals say, and so is one that was frozen on validation: the test
    period chooses nothing.

    Args:
        rows: scores of all, best first.
        leads: lead of the challenger over every baseline.
        challenger: the best candidate on validation, None if none survived.
        frozen: the best of all on validation, which may be a baseline.
        num_prompts: how many prompts were looked at.
        looks: how often the test period was looked at, this time included.
        is_simulated: whether their prices were made up; the sentence says so.

    Raises:
        ValueError: a lead is missing.
    """
    baselines = [row["name"] for row in rows if row["kind"] == "baseline"]  # best first
    if challenger is not None and set(leads) != set(baselines):
        raise ValueError(f"leads over {sorted(leads)} do not cover the baselines {sorted(baselines)}")
    candidate = challenger if frozen not in baselines else None  # what there is to prove
    beaten = candidate is not None and leads[baselines[0]]["mean"] < 0
    proven = {name: challenger is not None and _clear(leads[name]) for name in baselines}
    market = " of a SIMULATED market" if is_simulated else ""
    before = "that nobody had looked at" if looks == 1 else f"that were looked at {looks} times"
    over = f"on {num_prompts:,} prompts{market} {before}"
    if candidate is not None:
        sentence = _compared(candidate, baselines, leads, proven, over)
    else:
        sentence = _baseline_chosen(challenger, frozen, baselines, leads, over)
    if beaten and candidate is not None:
        winner = candidate
    else:
        winner = frozen if frozen in baselines and frozen is not None else baselines[0]
    return Verdict(
        sentence=sentence,
        proven=beaten and all(proven.values()),
        proven_against=proven,
        winner=winner,
        winner_is_baseline=not beaten,
        challenger=challenger,
        best_baseline=baselines[0],
    )


def _clear(lead: LeadInterval) -> bool:
    return lead["high"] is not None and lead["high"] < 0


def _compared(
    candidate: str,
    baselines: Sequence[str],
    leads: Mapping[str, LeadTable],
    proven: Mapping[str, bool],
    over: str,
) -> str:
    best = baselines[0]
    size = difference(candidate, best, leads[best])
    if leads[best]["mean"] >= 0:
        return f"Not proven: the baseline {best} wins; {size}, {over}."
    if all(proven.values()):
        rest = " and clearly better than every other baseline," if len(baselines) > 1 else ""
        return f"Proven: {size},{rest} {over}."
    open_ = ", ".join(name for name in baselines if not proven[name])
    chance = f"the lead over {open_} may be chance alone" if proven[best] else "chance alone can do that"
    return f"Not proven against {open_}: {size}, {over}, but {chance}."


def _baseline_chosen(
    challenger: str | None,
    frozen: str | None,
    baselines: Sequence[str],
    leads: Mapping[str, LeadTable],
    over: str,
) -> str:
    if challenger is None or frozen is None:
        return f"Not proven: no candidate survived the search, so the baseline {frozen or baselines[0]} wins {over}."
    size = difference(challenger, frozen, leads[frozen])
    return f"Not proven: the baseline {frozen} was the best on validation and wins; the best candidate: {size}, {over}."


def difference(candidate: str, baseline: str, lead: LeadInterval) -> str:
    """As in "mix scores 0.62 % better than fhs (95 % interval 0.42 to 0.82 % better)"."""
    words = f"{candidate} scores {abs(lead['mean']):.2f} % {'better' if lead['mean'] < 0 else 'worse'} than {baseline}"
    return f"{words} ({_range(lead)})"


def _range(lead: LeadInterval) -> str:
    """The 95 % interval in words: a sign would read the other way round in the tables, where minus is better."""
    low, high = lead["low"], lead["high"]
    if low is None or high is None:
        return "95 % interval unknown, too few days"
    if low < 0 < high:
        return f"95 % interval {-low:.2f} % better to {high:.2f} % worse"
    near, far = sorted((abs(low), abs(high)))
    return f"95 % interval {near:.2f} to {far:.2f} % {'better' if high <= 0 else 'worse'}"

"""What the one look at the test period says, in numbers and in one sentence.

Scores are in basis points, lower is better. Leads are 100 (score - baseline) / baseline, in percent, negative when
better.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypedDict

import pandas as pd


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

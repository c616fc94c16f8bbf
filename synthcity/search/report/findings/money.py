"""What a lead means in money: shares of the pay where forecasters of the test period are the only miners.

The network pays by a softmax of beta times the mean score, so a lead of a percent is worth more than it looks. What the
real miners leave of it, `synthcity replay` estimates.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TypedDict

from synthcity.forecast.quantise import MARK
from synthcity.search.finals.verdict import LeadTable, ScoreRow


class PayRow(TypedDict):
    """One forecaster's part of the pay, 0 to 1; the challenger's with its 95 % interval, None where it is unknown."""

    name: str
    share: float
    low: float | None
    high: float | None


def pay_rows(
    rows: Sequence[ScoreRow], leads: Mapping[str, LeadTable], challenger: str | None, beta: float
) -> list[PayRow]:
    """Split the pay among the challenger and each kind of baseline once, in its better form; the challenger first.

    The interval is that of the lead over the best baseline, whose score is held still.

    Args:
        rows: scores of the test period in basis points, best first.
        leads: of the challenger, over each baseline.
        challenger: None where no candidate survived; then there is nothing to split.
        beta: of the competition, below zero.
    """
    own = next((row["mean"] for row in rows if row["name"] == challenger), None)
    if challenger is None or own is None:
        return []
    others: dict[str, ScoreRow] = {}
    for row in rows:
        if row["kind"] == "baseline":
            others.setdefault(row["name"].removesuffix(MARK), row)
    best = next(iter(others.values()))

    def at(bound: float | None) -> float | None:
        if bound is None:
            return None
        return _shares([best["mean"] * (1 + bound / 100), *(row["mean"] for row in others.values())], beta)[0]

    shares = _shares([own, *(row["mean"] for row in others.values())], beta)
    lead = leads[best["name"]]
    found = [PayRow(name=challenger, share=shares[0], low=at(lead["high"]), high=at(lead["low"]))]
    for row, share in zip(others.values(), shares[1:], strict=True):
        found.append(PayRow(name=row["name"], share=share, low=None, high=None))
    return found


def pay_sentence(pay: Sequence[PayRow], competition: str, *, is_simulated: bool) -> str:
    """Say what the challenger would be paid, as in "In money: were these 7 forecasters the only miners, ..."."""
    first, second = pay[0], max(pay[1:], key=lambda row: row["share"])
    known = first["low"] is not None and first["high"] is not None
    interval = f"95 % interval {100 * (first['low'] or 0):.0f} to {100 * (first['high'] or 0):.0f} %" if known else ""
    market = " on this SIMULATED market" if is_simulated else ""
    told = (
        f"In money: were it and the {len(pay) - 1} kinds of baselines the only miners{market}, the network would pay "
        f"{first['name']} {100 * first['share']:.0f} % of what {competition} pays ({interval or 'interval unknown'}) "
        f"and {second['name']} {100 * second['share']:.0f} %; equal parts are {100 / len(pay):.0f} %."
    )
    return told if is_simulated else f"{told} The real miners leave less of it: `synthcity replay` says how much."


def _shares(means: Sequence[float], beta: float) -> list[float]:
    best = min(means)
    powers = [math.exp(beta * (mean - best)) for mean in means]
    return [power / sum(powers) for power in powers]

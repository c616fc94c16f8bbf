"""What the winner would have earned, in a sentence."""

from __future__ import annotations

from synthcity.search.journal.events import EarningsTold


def sentence(told: EarningsTold) -> str:
    """Say it for people."""
    place = told["place"]
    if place is None:
        return f"What it would have earned is not known: {told['reason']}."
    days = "day" if place["days"] == 1 else f"{place['days']} days"
    first = (
        f"Among the real miners it would have ranked {place['rank']} of {place['miners']}"
        f"{_between(place['rank_range'], '.0f')} over the last {days} of the test period"
    )
    second = (
        f"with a rolling average of {place['average']:.1f}{_between(place['average_range'], '.1f')}, the best "
        f"{place['best']:.1f} and the median {place['median']:.1f}, and {100 * place['share']:.2f} %"
        f"{_between(place['share_range'], '.2f', 100)} of the pay of {place['competition']}"
    )
    lost = f"; {place['lost']:,} could not be answered and count for nobody" if place["lost"] else ""
    intervals = "" if place["share_range"] is None else " (95 % intervals)"
    return f"{first}, {second}, on {place['prompts']:,} of the network's own prompts{intervals}{lost}."


def _between(bounds: list[float] | None, form: str, times: float = 1.0) -> str:
    if bounds is None:
        return ""
    low, high = (times * bound for bound in bounds)
    return f" ({low:{form}} to {high:{form}})"

"""Two finished runs side by side: their configs, and who forecasts better where both were tested on the same prompts.

The paired lead is computed as a verdict's is. It is one more look at the test period, and whoever chooses by it chooses
by luck too: a comparison proves nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from synthcity.forecast.evaluation.compare import Lead, lead
from synthcity.forecast.evaluation.interval import block_days
from synthcity.search.finals.final import read_scores
from synthcity.search.journal.folder import differences, read_resolved
from synthcity.search.report.model import Report
from synthcity.search.report.saving import read_report
from synthcity.sn50.competitions import get_competition, get_rules
from synthcity.wording import between

_OWN = ("name", "output", "track", "vault")  # keys of a config that decide nothing
_PROMPT = ["asset", "start_time"]


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """How the second run does against the first.

    Attributes:
        differences: by key of the config, its value in the first and in the second.
        lead: of the best candidate of the second over that of the first; None where they cannot be compared: ``why``.
        num_prompts: that the first and the second were tested on.
    """

    differences: Mapping[str, tuple[object, object]]
    lead: Lead | None
    why: str
    num_prompts: tuple[int, int]

    @property
    def sentence(self) -> str:
        """What the prompts say that both were tested on."""
        if self.lead is None:
            return f"no paired lead: {self.why}"
        found = self.lead
        size = f"{abs(found.mean):.2f} % {'better' if found.mean < 0 else 'worse'}"
        both = f"on {found.num_prompts:,} test prompts of both"
        if self.num_prompts != (found.num_prompts, found.num_prompts):
            both += f" (of {self.num_prompts[0]:,} and {self.num_prompts[1]:,})"
        return f"the second scores {size} than the first ({between(found.low, found.high)}), {both}"


def compare(first: Path, second: Path) -> Comparison:
    """Compare two finished runs.

    Raises:
        RunError: one is no finished run, or is damaged.
    """
    reports, scores = (read_report(first), read_report(second)), (read_scores(first), read_scores(second))
    changed = differences(read_resolved(first), read_resolved(second))
    joined, why = _joined(reports, scores, changed)
    return Comparison(
        differences={key: pair for key, pair in changed.items() if key not in _OWN},
        lead=None if joined is None else _lead(joined, reports[0]),
        why=why,
        num_prompts=(_num_prompts(scores[0]), _num_prompts(scores[1])),
    )


def _joined(
    reports: tuple[Report, Report], scores: tuple[pd.DataFrame, pd.DataFrame], changed: Mapping[str, object]
) -> tuple[pd.DataFrame | None, str]:
    """Return the scores of both best candidates on common prompts, as forecasters first and second, or why not."""
    facts = [(report["run"]["competition"], report["run"]["rules"], report["run"]["venues"]) for report in reports]
    if facts[0] != facts[1]:
        return None, "they are of other competitions, rules or prices"
    if any(key.startswith(("data.simulated", "data.source")) for key in changed):
        return None, "their prices are of other markets"
    parts = []
    for name, report, table in zip(("first", "second"), reports, scores, strict=True):
        challenger = report["verdict"]["challenger"]
        if challenger is None:
            return None, f"no candidate of the {name} run survived"
        own = table[table["forecaster"] == challenger]
        parts.append(own.assign(forecaster=name))
    common = parts[0][_PROMPT].merge(parts[1][_PROMPT])
    if common.empty:
        return None, "they were tested on other prompts"
    return pd.concat([part.merge(common) for part in parts], ignore_index=True), ""


def _lead(joined: pd.DataFrame, report: Report) -> Lead:
    rules = get_rules(report["run"]["rules"])
    days = block_days(get_competition(report["run"]["competition"], rules).time_length)
    weights = {str(asset): rules.coefficient(str(asset)) for asset in joined["asset"].unique()}
    return lead(joined, "second", "first", weights=weights, block_days=days)


def _num_prompts(scores: pd.DataFrame) -> int:
    return len(scores[_PROMPT].drop_duplicates())

"""A backtest boiled down to one line a forecaster."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from synthcity.forecast.evaluation.backtest import Backtest
from synthcity.forecast.evaluation.compare import Lead, asset_means, coefficients, lead, mean_score, payout_shares
from synthcity.forecast.evaluation.interval import block_days
from synthcity.sn50.competitions import Rules, get_competition


@dataclass(frozen=True, kw_only=True)
class Line:
    """One forecaster: mean scores in basis points and, unless it is the baseline itself, its lead over it.

    ``weighted`` is the network's coefficient-weighted mean over prompts, ``plain`` the mean over assets,
    ``share`` what a softmax over the forecasters compared would pay it.
    """

    forecaster: str
    by_asset: dict[str, float]
    weighted: float
    plain: float
    share: float
    lead: Lead | None


@dataclass(frozen=True, kw_only=True)
class Summary:
    """Lines in the order of the forecasters; ``warnings`` say what makes scores worth less than they look."""

    result: Backtest
    baseline: str
    assets: tuple[str, ...]
    lines: tuple[Line, ...]
    warnings: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """Return everything, per-prompt scores included, as plain JSON data; what is not finite is None."""
        data = {
            "competition": self.result.competition,
            "rules": self.result.rules,
            "num_prompts": self.result.num_prompts,
            "dropped": self.result.dropped,
            "lost": dict(self.result.lost),
            "baseline": self.baseline,
            "warnings": list(self.warnings),
            "forecasters": [asdict(line) for line in self.lines],
            "scores": self.result.scores.to_dict("records"),
        }
        return {key: _plain(value) for key, value in data.items()}


def summarise(result: Backtest, baseline: str, rules: Rules, warnings: Sequence[str] = ()) -> Summary:
    """Compare every forecaster of ``result`` with ``baseline`` under ``rules``; assets in the competition's order."""
    scores = result.scores
    competition = get_competition(result.competition, rules)
    means = asset_means(scores)
    means = means[sorted(means.columns, key=[*competition.assets, *means.columns].index)]
    weighted = mean_score(scores, rules)
    shares = payout_shares(scores, competition.beta, rules)
    weights, days = coefficients(scores, rules), block_days(competition.time_length)
    lines = tuple(
        Line(
            forecaster=name,
            by_asset={str(asset): float(value) for asset, value in means.loc[name].items()},
            weighted=float(weighted[name]),
            plain=float(means.loc[name].mean()),
            share=float(shares[name]),
            lead=None if name == baseline else lead(scores, name, baseline, weights=weights, block_days=days),
        )
        for name in means.index
    )
    return Summary(
        result=result, baseline=baseline, assets=tuple(map(str, means.columns)), lines=lines, warnings=tuple(warnings)
    )


def _plain(value: object) -> object:
    """Return ``value`` with every number that JSON cannot hold as None."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value

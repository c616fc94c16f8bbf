"""Where our rolling average would stand among all miners, by the network's rules from public scores."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd

from synthcity.durations import DAY
from synthcity.errors import DataError
from synthcity.market.bars import Floats, Times
from synthcity.serve.settlement.standing import standings
from synthcity.sn50.competitions import Competition, Rules, get_rules
from synthcity.sn50.leaderboard import payout, rolling_average


class PublicScores(Protocol):
    """Scores of all miners; ``SynthApi`` has the network's."""

    def scores(self, asset: str, competition: Competition, start: int, end: int) -> pd.DataFrame:
        """Return the scores of an asset; see ``SynthApi.scores``."""


class Fetched:
    """Public scores that are asked for once, however often they are needed; a window of them is tens of megabytes."""

    def __init__(self, api: PublicScores) -> None:
        self._api = api
        self._known: dict[tuple[str, str, int, int], pd.DataFrame] = {}

    def scores(self, asset: str, competition: Competition, start: int, end: int) -> pd.DataFrame:
        """As of ``PublicScores``."""
        key = asset, competition.name, start, end
        if key not in self._known:
            self._known[key] = self._api.scores(asset, competition, start, end)
        return self._known[key]


@dataclass(frozen=True, kw_only=True)
class Rank:
    """Our place in one competition, as if we had answered all the prompts below and nobody else knew.

    Attributes:
        rank: 1 is the best of ``num_miners``, ourselves included.
        average: our rolling average, the best score of each prompt subtracted; ``best`` and ``median`` are those of
            the others.
        share: of the competition's payout.
        num_prompts: scored prompts that we have a score for.
        num_unmatched: scored prompts of the window that we have none for; they are left out for everybody.
    """

    competition: str
    rank: int
    num_miners: int
    average: float
    best: float
    median: float
    share: float
    num_prompts: int
    num_unmatched: int


@dataclass(frozen=True, kw_only=True)
class Unranked:
    """A competition in which we have answers and no place, and why not."""

    competition: str
    reason: str


def ranks(
    scores: pd.DataFrame, api: PublicScores, now: float, *, rules: Rules | None = None, own_miner: int | None = None
) -> Iterator[Rank | Unranked]:
    """Yield our place in each competition that a settled answer of its window counts in.

    Args:
        scores: as from ``settle.read_scores``; what a challenger drew in the shadow is left out.
        api: where the public scores of all miners come from.
        own_miner: our uid among the public ones, which is then left out.

    Raises:
        DataError: the public scores cannot be fetched.
    """
    rules = get_rules() if rules is None else rules
    sent = scores[scores["sent"].astype(bool)]
    for standing in standings(scores, now, rules):
        competition = rules.competitions[standing.competition]
        start = int(now) - competition.window_days * DAY
        public = pd.concat([api.scores(asset, competition, start, int(now)) for asset in standing.by_asset])
        try:
            yield simulated_rank(public, sent, competition, now, rules=rules, own_miner=own_miner)
        except DataError as error:
            yield Unranked(competition=competition.name, reason=str(error))


@dataclass(frozen=True, kw_only=True, eq=False)
class Contest:
    """The prompts of a window that we and others have scores for.

    Attributes:
        assets: of each prompt (P,).
        starts: when it began, unix seconds (P,).
        totals: raw scores (P, M), ours last; -1 is an invalid answer, NaN that of a miner who came later.
        num_unmatched: prompts that we have no score for.
    """

    competition: Competition
    assets: list[str]
    starts: Times
    totals: Floats
    num_unmatched: int

    def rank(self, rules: Rules | None = None) -> Rank:
        """Our place by the network's rolling average over these prompts."""
        averages = rolling_average(self.totals, self.assets, rules)
        return Rank(
            competition=self.competition.name,
            rank=1 + int((averages[:-1] < averages[-1]).sum()),
            num_miners=len(averages),
            average=float(averages[-1]),
            best=float(averages[:-1].min()),
            median=float(np.median(averages[:-1])),
            share=float(payout({self.competition.name: averages}, rules)[-1]),
            num_prompts=len(self.starts),
            num_unmatched=self.num_unmatched,
        )


def simulated_rank(
    public: pd.DataFrame,
    own: pd.DataFrame,
    competition: Competition,
    now: float,
    *,
    rules: Rules | None = None,
    own_miner: int | None = None,
) -> Rank:
    """Rank settled scores among public ones over the competition's window; arguments as of ``contest``.

    Raises:
        DataError: no public prompt of the window can be matched.
    """
    return contest(public, own, competition, now, own_miner=own_miner).rank(get_rules() if rules is None else rules)


def contest(
    public: pd.DataFrame,
    own: pd.DataFrame,
    competition: Competition,
    now: float,
    *,
    own_miner: int | None = None,
    window_days: float | None = None,
) -> Contest:
    """Put our scores beside those of all others, over the window that ends at ``now``.

    A prompt is matched with our answer to it, else with the mean of our answers in its bucket, of which the network
    scores one.

    Args:
        public: columns ``asset``, ``start_time``, ``miner``, ``total``, as from ``SynthApi.scores``.
        own: columns ``asset``, ``start_time``, ``competition``, ``total``, as from ``settle.read_scores``.
        own_miner: our uid among the public ones, which is then left out.
        window_days: the competition's by default.

    Raises:
        DataError: no public prompt of the window can be matched.
    """
    days = competition.window_days if window_days is None else window_days
    ends = public["start_time"] + competition.time_length
    others = public[(ends > now - days * DAY) & (ends <= now) & (public["miner"] != own_miner)]
    table = others.drop_duplicates(["asset", "start_time", "miner"], keep="last").pivot(
        index=["asset", "start_time"], columns="miner", values="total"
    )
    ours = _matched(table.index, own[own["competition"] == competition.name], competition.bucket_seconds)
    is_known = ~np.isnan(ours)
    if not is_known.any():
        raise DataError(
            f"none of {len(table)} public prompts of {competition.name} has a settled answer of ours; settle some first"
        )
    return Contest(
        competition=competition,
        assets=table.index.get_level_values("asset")[is_known].tolist(),
        starts=table.index.get_level_values("start_time")[is_known].to_numpy(dtype=np.int64),
        totals=np.column_stack([table.to_numpy()[is_known], ours[is_known]]),
        num_unmatched=int((~is_known).sum()),
    )


def _matched(prompts: pd.Index, own: pd.DataFrame, bucket_seconds: int) -> Floats:
    """Our total of each (asset, start_time), NaN where there is none."""
    exact = own.groupby(["asset", "start_time"])["total"].mean().reindex(prompts).to_numpy(dtype=np.float64)
    valid = own[own["total"] >= 0]
    by_bucket = valid.groupby(["asset", valid["start_time"] // bucket_seconds])["total"].mean()
    assets, starts = (prompts.get_level_values(name) for name in ("asset", "start_time"))
    near = by_bucket.reindex(pd.MultiIndex.from_arrays([assets, starts // bucket_seconds]))
    return np.where(np.isnan(exact), near.to_numpy(dtype=np.float64), exact)

"""What a forecaster would have earned: the network's own past prompts answered again, with prices as of then.

Prompts and the scores of all miners come from the public API, the prices that answers were scored by from its realised
paths, what was known when a prompt came from a store. Nothing observed later is shown to the forecaster.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthcity.durations import DAY, HOUR, MINUTE
from synthcity.errors import ConfigError, DataError, NotCovered
from synthcity.forecast.bundles.facts import PERIODS
from synthcity.forecast.bundles.suitability import facts_of, refuse_uncovered
from synthcity.forecast.evaluation.backtest import CANNOT_ANSWER, prompt_seed
from synthcity.forecast.forecaster import Forecaster, covers
from synthcity.market.bars import Bars, History, Market, Times
from synthcity.market.check import Tell
from synthcity.market.download import download
from synthcity.market.sources.synth import NAME as SYNTH
from synthcity.market.sources.synth import SynthSource
from synthcity.market.sources.synthapi import SynthApi
from synthcity.market.store import PriceStore
from synthcity.market.times import format_resolution, format_time
from synthcity.market.venues.official import official_venue
from synthcity.serve.answering import clock
from synthcity.serve.answering.prices import HISTORY_DAYS
from synthcity.serve.settlement.estimate import Estimate, estimate
from synthcity.serve.settlement.rank import contest
from synthcity.sn50.competitions import Competition, Rules
from synthcity.sn50.prompt import Prompt
from synthcity.sn50.scoring import network_score

_SPARSE = 0.5  # of the hours; a store that knows fewer of them is none to answer from
Progress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class Past:
    """Where a replay's figures come from, and which window it covers.

    Attributes:
        store: bars of a minute and of each competition's increment; realised prices are added, under venue ``synth``.
        venue: of the bars that the forecaster sees; by default the one that the network settles by.
        end: of the window, unix seconds.
        days: its length; a competition's own window where that is shorter.
        own_miner: our uid, left out of the others.
        seed: of the paths.
    """

    store: PriceStore
    api: SynthApi
    source: SynthSource
    rules: Rules
    end: int
    days: int
    venue: str | None = None
    own_miner: int | None = None
    seed: int = 0

    def window_days(self, competition: Competition) -> int:
        """The days of a competition that count."""
        return min(self.days, competition.window_days)

    def first_start(self, competition: Competition) -> int:
        """When the first prompt of the window may have begun."""
        return self.end - self.window_days(competition) * DAY - competition.time_length


@dataclass(frozen=True, kw_only=True)
class Replayed:
    """One competition.

    Attributes:
        window_days: of prompts.
        num_lost: prompts that were left out for everybody, since there is no score of ours.
        why_lost: the reason of the first one, "" without any.
    """

    competition: str
    estimate: Estimate
    window_days: int
    num_lost: int
    why_lost: str


def chosen_competitions(
    name: str, forecaster: Forecaster, rules: Rules, only: Sequence[Competition]
) -> list[Competition]:
    """Return the competitions to replay: ``only`` those, or all that the forecaster was made for.

    Raises:
        ConfigError: it lacks an asset that the network asks for in one of them, or was made for none.
    """
    found = list(only) or [one for one in rules.competitions.values() if any(_covers(forecaster, one))]
    if not found:
        raise ConfigError(f"{name} was made for no prompt that the network sends by the rules of {rules.date}")
    for one in found:
        refuse_uncovered(name, forecaster, one.name, (one.time_length, one.time_increment), one.assets)
    return found


def refuse_known_days(name: str, start: int, end: int) -> list[str]:
    """Refuse a bundle that was trained, chosen or tested on days of ``[start, end)``; return what is in doubt.

    Raises:
        ConfigError: it was; a bundle that knows the days has nothing to show there.
    """
    doubts = []
    for facts in facts_of(name):
        for period, did in zip(PERIODS, ("trained", "chosen", "tested"), strict=True):
            span = facts.periods.get(period)
            if span is not None and start < span.end and span.start < end:
                raise ConfigError(
                    f"{name} was {did} on {span}, and the prompts lie between {format_time(start)} and "
                    f"{format_time(end)}: it has nothing to show on days that it knows; replay days from "
                    f"{format_time(max(one.end for one in facts.periods.values()))} on, with fewer --days or later"
                )
        if not facts.periods:
            doubts.append(f"{name} does not tell which days it learned from (an older bundle): it may know these")
    return doubts


def replay(
    forecaster: Forecaster,
    competition: Competition,
    past: Past,
    *,
    progress: Progress = lambda done, total: None,
    tell: Tell = lambda sentence: None,
) -> Replayed:
    """Answer a competition's past prompts again and find our place among all miners.

    Args:
        progress: called with (prompts answered, all prompts).
        tell: takes a sentence about what is being done, and about prices that were left out.

    Raises:
        ConfigError: several venues hold the prices and none was named.
        DataError: the store lacks what was known then, or no prompt can be matched.
        SourceError: the public figures cannot be fetched.
    """
    start = past.first_start(competition)
    known = _known(past, competition, start)
    realised = {asset: _realised(past, asset, start, tell) for asset in competition.assets}
    tell(f"{competition.name}: asking for the scores of all miners")
    public = pd.concat([past.api.scores(asset, competition, start, past.end) for asset in competition.assets])
    ends = public["start_time"] + competition.time_length
    public = public[(ends > past.end - past.window_days(competition) * DAY) & (ends <= past.end)]
    asked = sorted(set(zip(public["start_time"], public["asset"], strict=True)))
    if not asked:
        raise DataError(
            f"the network tells of no scored prompt of {competition.name} between {format_time(start)} and "
            f"{format_time(past.end)}; replay other days"
        )
    rows, lost = list[tuple[str, int, float]](), list[str]()
    for done, (begin, asset) in enumerate(asked, start=1):
        try:
            total = _score(forecaster, competition, past, known, realised[asset], asset, int(begin))
        except NotCovered:
            raise
        except CANNOT_ANSWER as error:
            lost.append(str(error))
        else:
            rows.append((asset, int(begin), total))
        progress(done, len(asked))
    if not rows:
        raise DataError(
            f"none of {len(asked)} prompts of {competition.name} could be answered, the first since {lost[0]}"
        )
    own = pd.DataFrame(rows, columns=["asset", "start_time", "total"]).assign(competition=competition.name)
    window_days = past.window_days(competition)
    held = contest(public, own, competition, past.end, own_miner=past.own_miner, window_days=window_days)
    return Replayed(
        competition=competition.name,
        estimate=estimate(held, past.rules),
        window_days=window_days,
        num_lost=len(lost),
        why_lost=lost[0] if lost else "",
    )


def _covers(forecaster: Forecaster, competition: Competition) -> list[bool]:
    grid = {"time_length": competition.time_length, "time_increment": competition.time_increment}
    return [covers(forecaster, Prompt(asset=asset, start_time=0, **grid)) for asset in competition.assets]


def _known(past: Past, competition: Competition, start: int) -> Market:
    """Bars of all assets, and what was expected, as a miner's live prices hold them.

    Raises:
        DataError: the store has too few bars; the sentence says how to fill it.
    """
    venues = {asset: past.venue or official_venue(asset).name for asset in competition.assets}
    found: dict[tuple[str, int], Bars] = {}
    for asset, venue in venues.items():
        found |= _bars(past, competition, asset, venue, start)
    return Market(found, past.store.outlook(venues.values()))


def _bars(past: Past, competition: Competition, asset: str, venue: str, start: int) -> dict[tuple[str, int], Bars]:
    found = {}
    for resolution in sorted({MINUTE, competition.time_increment}):
        bars = past.store.read(asset, venue, resolution, start - _kept_seconds(resolution), past.end)
        hours = np.arange(start, past.end - competition.time_length, HOUR, dtype=np.int64)
        if _share_known(bars.observed, hours) < _SPARSE:
            span = f"{max(HISTORY_DAYS.values()):g} days"
            held = f"ends on {format_time(int(bars.observed[-1]))}" if len(bars) else "holds none"
            raise DataError(
                f"replay needs {format_resolution(resolution)} bars of {asset} ({venue}) from {format_time(start)} on, "
                f"and some weeks before; store {past.store.name} {held}, or has too many gaps: fill it by `synthcity "
                f'data download --competition {competition.name} --resolution all --last "{span}"`, or, '
                f"where the venue has forgotten them, add --source {SYNTH} there and --venue {SYNTH} here"
            )
        found[asset, resolution] = bars
    return found


def _as_of(known: Market, now: int) -> History:
    """What a miner keeps of it at that time: no more, since some forecasters learn from all there is."""
    found = {}
    for key, bars in known.items():
        first = int(np.searchsorted(bars.time, now - _kept_seconds(bars.resolution)))
        found[key] = bars.slice(first, len(bars))
    return Market(found, known.foresight).as_of(now)


def _kept_seconds(resolution: int) -> int:
    return round(HISTORY_DAYS[resolution] * DAY)


def _share_known(observed: Times, hours: Times) -> float:
    """Share of ``hours`` with a price of the half hour before."""
    if not len(observed):
        return 0.0
    at = np.searchsorted(observed, hours, side="right") - 1
    return float(np.mean((at >= 0) & (hours - observed[at] <= clock.LONGEST_WAIT_SECONDS)))


def _realised(past: Past, asset: str, start: int, tell: Tell) -> Market:
    """The prices that answers were scored by, fetched where the store lacks them."""
    tell(f"{asset}: asking for the prices that answers were scored by")
    download(past.store, past.source, asset, MINUTE, start, past.end, tell=tell)
    return Market({(asset, MINUTE): past.store.read(asset, SYNTH, MINUTE, start, past.end)})


def _score(
    forecaster: Forecaster,
    competition: Competition,
    past: Past,
    known: Market,
    realised: Market,
    asset: str,
    start_time: int,
) -> float:
    """Our total of one prompt.

    Raises:
        DataError: the forecaster lacks history, or the price that ends the path is not known.
    """
    prompt = Prompt(
        asset=asset,
        start_time=start_time,
        time_length=competition.time_length,
        time_increment=competition.time_increment,
    )
    truth = clock.realised(realised, prompt)
    if np.isnan(truth[-1]):
        raise DataError("its last realised price is not known")
    history = _as_of(known, clock.asked_at(start_time, competition))
    answer = clock.simulate(forecaster, history, prompt, seed=prompt_seed(past.seed, prompt))
    return float(network_score(answer.paths, truth, competition, past.rules).total)

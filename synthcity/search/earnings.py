"""What the frozen winner would have earned on the last days of the test period, beside the real miners.

Known where the store holds the network's own realised paths (venue ``synth``): then the network's prompts of those days
are answered again (``serve.settlement.replay``) and ranked among the public scores of all miners. It comes after the
look and decides nothing; what cannot be had is told in a sentence.
"""

from __future__ import annotations

from dataclasses import astuple
from pathlib import Path

from synthcity.durations import DAY, MINUTE
from synthcity.errors import SynthcityError
from synthcity.forecast.bundles.bundle import load
from synthcity.market.sources.synth import NAME as SYNTH
from synthcity.market.sources.synth import SynthSource
from synthcity.market.sources.synthapi import SynthApi
from synthcity.market.store import PriceStore, open_store
from synthcity.search.config import SearchConfig
from synthcity.search.data import SearchData
from synthcity.search.finals.final import WINNER
from synthcity.search.journal.events import EarningsTold
from synthcity.search.journal.parts import Place
from synthcity.search.journal.recorder import Recorder
from synthcity.serve.settlement.estimate import Range
from synthcity.serve.settlement.replay import Past, Replayed, replay
from synthcity.settings import Settings
from synthcity.sn50.competitions import Competition


class _Unknown(Exception):
    """Why it cannot be known."""


def tell_earnings(recorder: Recorder, data: SearchData, config: SearchConfig, folder: Path) -> None:
    """Journal what the bundle in ``folder`` would have earned, or why that is not known; once."""
    if recorder.last(EarningsTold) is not None:
        return
    try:
        store = _store(data, config)
        recorder.emit("stage", name="earnings", message="answering the network's own prompts of the test period again")
        place, reason = _place(recorder, data, config, store, folder), ""
    except (_Unknown, SynthcityError) as error:
        place, reason = None, str(error)
    except Exception as error:  # noqa: BLE001 - the verdict is still to be written, whatever fails here
        place, reason = None, f"asking failed ({type(error).__name__}: {error})"
    recorder.emit("earnings", place=place, reason=reason)


def _store(data: SearchData, config: SearchConfig) -> PriceStore:
    """The store, if it holds what is needed.

    Raises:
        _Unknown: it does not.
    """
    competition = data.competition
    if data.facts.is_simulated or config.data.path is None:
        raise _Unknown("the market is simulated")
    if lacking := [asset for asset in competition.assets if asset not in data.assets]:
        raise _Unknown(f"it is paid for all of {competition.name}, and this search knows no {', '.join(lacking)}")
    store = open_store(config.data.path)
    kept = {one.asset for one in store.list_series() if (one.venue, one.resolution) == (SYNTH, MINUTE)}
    if lacking := [asset for asset in competition.assets if asset not in kept]:
        raise _Unknown(
            f"the store holds no realised paths of the network for {', '.join(lacking)}; "
            f"`synthcity data download --source {SYNTH}` fetches them"
        )
    return store


def _place(recorder: Recorder, data: SearchData, config: SearchConfig, store: PriceStore, folder: Path) -> Place:
    """Answer the prompts again, for as long as there is time.

    Raises:
        _Unknown: the test period is too short, or the time budget used up.
        SynthcityError: as of ``replay``, or the bundle cannot be loaded.
    """
    competition, test, budget = data.competition, data.periods.test, config.search.time_budget
    days = min(competition.window_days, (test.end - test.start - competition.time_length) // DAY)
    if days < 1:
        raise _Unknown("the test period is shorter than a day and a prompt")

    def in_time(done: int, total: int) -> None:
        if budget is not None and recorder.used_seconds() > budget:
            when = f"after {done:,} of {total:,} prompts" if total else "before"
            command = f"synthcity replay {folder / WINNER} --data {store.name}"
            raise _Unknown(f"the time budget ended {when}; `{command}` answers the network's prompts")

    in_time(0, 0)
    settings = Settings.load()
    past = Past(
        store=store,
        source=SynthSource(settings),
        api=SynthApi(settings),
        rules=data.rules,
        end=test.end,
        days=days,
        venue=config.data.venue or (data.venues[0] if len(data.venues) == 1 else None),
        seed=config.search.seed,
    )
    with past.api:
        return _told(replay(load(folder / WINNER, trust_code=True), competition, past, progress=in_time), competition)


def _told(found: Replayed, competition: Competition) -> Place:
    estimate, rank = found.estimate, found.estimate.rank
    return Place(
        competition=competition.name,
        days=found.window_days,
        rank=rank.rank,
        miners=rank.num_miners,
        average=rank.average,
        best=rank.best,
        median=rank.median,
        share=rank.share,
        rank_range=_bounds(estimate.standing),
        average_range=_bounds(estimate.average),
        share_range=_bounds(estimate.share),
        prompts=rank.num_prompts,
        lost=found.num_lost,
    )


def _bounds(found: Range | None) -> list[float] | None:
    return None if found is None else [float(bound) for bound in astuple(found)]

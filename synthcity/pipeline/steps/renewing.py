"""Refits: when a champion's networks are trained again on newer prices, and the offer that comes of it.

The walk-forward of ``benchmarks.refit`` found no gain for assets with a long past, and some for one with two months of
it; a week gave no more than a month. So a refit is due a month after the last prices that were learned from, and only
where an asset was new to the champion. Nothing of it is proven: the miner's verdict asks that it be no worse than its
parent (``serve.settlement.challenge.REFIT``), and a few of them in a row are all, until something wins again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from synthcity.durations import DAY
from synthcity.errors import BundleError, ConfigError, DataError, TrialFailed
from synthcity.forecast.bundles.choose import identify
from synthcity.forecast.bundles.suitability import facts_of
from synthcity.market.times import format_time
from synthcity.pipeline.events import Renewed
from synthcity.pipeline.state import State
from synthcity.pipeline.steps.deploying import answering
from synthcity.serve.challengers.candidacy import keep
from synthcity.serve.settlement.offer import Offer

EVERY_DAYS = 30
NEW_DAYS = 180
"""An asset with fewer days of prices behind it when it was learned from is new."""

MOST_IN_A_ROW = 3
"""Each may be worse than its parent by the margin of the verdict; so many of them at most add up.

A refit trains all networks of the champion, whichever competition it was due for, so they count together.
"""

FOLDER = "refits"


def learned_until(name: str, competition: str | None = None) -> int | None:
    """Return the end (unix s) of the prices that a bundle, or its part for a competition, learned from."""
    facts = [one for one in facts_of(name) if None in (competition, one.competition) or one.competition == competition]
    return max((one.learned.end for one in facts if one.learned is not None), default=None)


def due(state: State, miner: Path, competition: str, first: Callable[[], Mapping[str, int]], now: float) -> str | None:
    """Return why the champion of a competition is to be trained again; None where it is not.

    Args:
        state: of the pipeline.
        miner: folder of the miner whose champion it is.
        competition: which.
        first: says when the prices of each asset begin, unix seconds; asked where time alone would have it.
        now: unix seconds.

    Raises:
        BundleError: the champion cannot be read.
    """
    champion = answering(miner)
    until = None if champion is None else learned_until(champion, competition)
    if champion is None or until is None:
        return None
    last = max((one.time for one in state.renewals), default=0.0)
    if now < max(float(until), last) + EVERY_DAYS * DAY or sum(state.refits.values()) >= MOST_IN_A_ROW:
        return None
    begins = first()
    known = {asset for one in facts_of(champion) if one.competition == competition for asset in one.assets}
    new = sorted(asset for asset in known if asset in begins and begins[asset] > until - NEW_DAYS * DAY)
    if not new:
        return None
    return f"it learned up to {format_time(until)}, and {', '.join(new)} had less than {NEW_DAYS} days of prices then"


def renewed(miner: Path, competition: str, store: str, folder: Path, reason: str) -> Renewed:
    """Train the champion again and offer what comes of it; a killed process goes on where it was.

    Args:
        miner: folder of the miner.
        competition: for whose sake.
        store: prices.
        folder: where refits are made.
        reason: why it is due.

    Raises:
        RunError: the disk refuses.
    """
    from ray.exceptions import RayError, RayTaskError

    from synthcity.search.renewal import renew

    champion, began = answering(miner), time.monotonic()
    assert champion is not None
    told = Renewed(competition=competition, parent=champion, state=str(miner.absolute()), reason=reason)
    fresh = folder / FOLDER / identify(champion)[:12]
    try:
        renew(Path(champion), store, fresh)
    except (ConfigError, DataError, BundleError, TrialFailed, RayError) as error:  # what was served goes on to be
        if isinstance(error.__context__, KeyboardInterrupt):  # what was stopped with us is no failure
            raise KeyboardInterrupt from error
        cause = error.cause if isinstance(error, RayTaskError) else error
        why = str(cause).partition("\n")[0] or type(cause).__name__
        return replace(told, reason=f"{reason}; but {why}", seconds=time.monotonic() - began)
    kept = keep(miner, fresh, ())
    offer = Offer.of(kept, f"the champion's own networks, trained again: {reason}").write(miner)
    seconds = time.monotonic() - began
    return replace(told, folder=offer.folder, bundle=offer.bundle, seconds=seconds)

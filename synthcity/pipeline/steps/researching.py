"""Research at the beginning of a round: the control draws inputs and tests them, on prices before the round's test.

It is `synthcity research` with its own rules against chance: found on the later half of what the round trains on,
claimed once of what it validates on. No language model is asked. What is kept lies in the pipeline's library for a
person to read; no search uses it by itself.
"""

from __future__ import annotations

import time
from pathlib import Path

from synthcity.durations import DAY, HOUR
from synthcity.errors import ConfigError, DataError
from synthcity.market.periods import Period
from synthcity.pipeline.config import Sweep
from synthcity.pipeline.events import Began, Researched
from synthcity.wording import percent

FOLDER, LIBRARY = "research", "library"
_EVERY = 23.0 * HOUR
_PART = 0.5  # of the time that is left, at most
_FOLD_DAYS = 30  # of finding, at least


def researched(
    folder: Path, store: str, sweep: Sweep, began: Began, *, trials: int, seconds: float | None
) -> Researched:
    """Do a round's research; one that a kill cut off is done anew, beside it.

    Args:
        folder: of the pipeline.
        store: prices.
        sweep: whose competition, rules and venue.
        began: the round.
        trials: inputs to be tested.
        seconds: what is left of the pipeline's time; None for no bound.

    Raises:
        RunError: the disk refuses.
    """
    from synthcity.research.config import FoldsConfig, PricesConfig, ResearchConfig
    from synthcity.research.folder import new_folder
    from synthcity.research.run import research

    begin, train, validation = time.monotonic(), began.periods.train, began.periods.validation
    middle = train.start + (train.end - train.start) // (2 * DAY) * DAY
    data, output = sweep.config.data, folder / FOLDER / f"round-{began.round:04}"
    try:
        config = ResearchConfig(
            competition=began.competition,
            rules=sweep.config.rules,
            output=str(output),
            library=str(folder / LIBRARY),
            prices=PricesConfig(source="store", path=store, venue=data.venue, assets=began.assets),
            folds=FoldsConfig(
                learn=Period(start=train.start, end=middle),
                find=Period(start=middle, end=train.end),
                confirm=validation,
                parts=max(1, min(3, (train.end - middle) // (_FOLD_DAYS * DAY))),
            ),
            every=_EVERY,
            rounds=1,
            trials=trials,
            time_budget=None if seconds is None else max(1.0, _PART * seconds),
            seed=began.round,
        )
        where = new_folder(config)
        done = research(config, where)
    except (ConfigError, DataError) as error:  # a search needs no research
        return Researched(round=began.round, sentence=f"none: {error}", seconds=time.monotonic() - begin)
    [arm] = done.arms
    told = f"{arm.tests} inputs tested, {arm.promising} promising, {len(arm.kept)} of {len(arm.claims)} claims kept"
    gain = "" if arm.gain is None else f", which gain {percent(arm.gain)}"
    return Researched(round=began.round, sentence=f"{told}{gain}", folder=str(where), seconds=time.monotonic() - begin)

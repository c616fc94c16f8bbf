"""Research at the beginning of a round: inputs are written and tested on prices before the round's test.

It is `synthcity research` with its own rules against chance: found on the later half of what the round trains on,
claimed once of what it validates on. A language model, where there is one and money for it, writes inputs, and a
control draws as many; else the control works alone, and the sentence says why. What a model was paid for is recorded
beside the researches of the round, so one that is done anew after a kill asks only what nobody has answered yet. What
is kept lies in the pipeline's library. Its recipes are given to the rounds' searches; what a model wrote is code, and
waits for a person.
"""

from __future__ import annotations

import shutil
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from synthcity.agents.client import LLMClient
from synthcity.agents.config import LLMConfig
from synthcity.agents.transcript import NAME, spent
from synthcity.durations import DAY, HOUR
from synthcity.errors import ConfigError, DataError, RunError
from synthcity.files import atomic_folder
from synthcity.lines import read_all
from synthcity.market.periods import Period
from synthcity.pipeline.config import Sweep
from synthcity.pipeline.events import Began, Researched
from synthcity.settings import Settings

if TYPE_CHECKING:
    from synthcity.research.config import ResearchConfig

FOLDER, LIBRARY = "research", "library"
ANSWERS = "answers.jsonl"
_EVERY = 23.0 * HOUR
_PART = 0.5  # of the time and of the money that are left, at most
_FOLD_DAYS = 30  # of finding, at least


@dataclass(frozen=True, kw_only=True)
class Means:
    """What a round's research may use: inputs to test, and the seconds and USD that are left; None for no bound."""

    trials: int
    seconds: float | None = None
    usd: float | None = None


def researched(
    folder: Path, store: str, sweep: Sweep, began: Began, means: Means, settings: Settings | None = None
) -> Researched:
    """Do a round's research; one that a kill cut off is done anew, beside it.

    Args:
        folder: of the pipeline.
        store: prices.
        sweep: whose competition, rules, venue and way to ask a language model.
        began: the round.
        means: how much of it.
        settings: of the language model; None for none.

    Raises:
        RunError: the disk refuses.
    """
    from synthcity.research.folder import new_folder
    from synthcity.research.result import sentence
    from synthcity.research.run import research

    begin, output = time.monotonic(), folder / FOLDER / f"round-{began.round:04}"

    def told(text: str, where: str = "") -> Researched:
        seconds, usd = time.monotonic() - begin, _paid(output)
        return Researched(round=began.round, sentence=text, folder=where, seconds=seconds, usd=usd)

    try:
        config = _config(folder, output, store, sweep, began, means)
        where = new_folder(config)
        with ExitStack() as stack:
            client = _client(settings, _asking(sweep.config.llm, means.usd, output), where)
            if isinstance(client, LLMClient):
                done = research(config, where, client=stack.enter_context(client))
                return told(sentence(done), str(where))
            done = research(config, where)
            return told(f"{sentence(done)}; no language model was asked: {client}", str(where))
    except (ConfigError, DataError) as error:  # a search needs no research
        return told(f"none: {error}")


def recipes_for(folder: Path, began: Began) -> Path | None:
    """Return a library of the recipes that a pipeline's own holds for a round, as they are now; None without any.

    Args:
        folder: of the pipeline.
        began: the round.

    Raises:
        RunError: the disk refuses.
    """
    from synthcity.research.library import DROPPED, items

    found = [
        item.name
        for item in items(folder / LIBRARY)[0]
        if item.origin.recipe is not None and item.status != DROPPED and item.evidence.competition == began.competition
    ]
    if not found:
        return None
    own = folder / FOLDER / f"round-{began.round:04}" / LIBRARY
    try:
        with atomic_folder(own) as draft:
            for name in found:
                shutil.copyfile(folder / LIBRARY / f"{name}.json", draft / f"{name}.json")
    except OSError as error:
        raise RunError(f"cannot write {own} ({error.strerror or error})") from error
    return own


def _config(folder: Path, output: Path, store: str, sweep: Sweep, began: Began, means: Means) -> ResearchConfig:
    from synthcity.research.config import FoldsConfig, PricesConfig, ResearchConfig

    train, data = began.periods.train, sweep.config.data
    middle = train.start + (train.end - train.start) // (2 * DAY) * DAY
    return ResearchConfig(
        competition=began.competition,
        rules=sweep.config.rules,
        output=str(output),
        library=str(folder / LIBRARY),
        prices=PricesConfig(source="store", path=store, venue=data.venue, assets=began.assets),
        folds=FoldsConfig(
            learn=Period(start=train.start, end=middle),
            find=Period(start=middle, end=train.end),
            confirm=began.periods.validation,
            parts=max(1, min(3, (train.end - middle) // (_FOLD_DAYS * DAY))),
        ),
        every=_EVERY,
        rounds=1,
        trials=means.trials,
        time_budget=None if means.seconds is None else max(1.0, _PART * means.seconds),
        seed=began.round,
    )


def _asking(config: LLMConfig, left: float | None, output: Path) -> LLMConfig:
    """Return how a model is asked: for its part of what is ``left``, and nothing twice, whatever was killed between.

    What is played again from the record is charged like the first time, so the part is the same for all researches of
    a round; what they paid for beyond the record comes off what is left.
    """
    caps = config.caps
    if left is not None:
        most = max(0.0, min(_PART * left, left - _paid(output)))
        run = most if caps.usd_per_run is None else min(most, caps.usd_per_run)
        agent = run if caps.usd_per_agent is None else min(run, caps.usd_per_agent)
        caps = replace(caps, usd_per_run=run, usd_per_agent=agent)
    if config.mode != "live":
        return replace(config, caps=caps)
    return replace(config, caps=caps, mode="replay", cassette=str(output / ANSWERS))


def _client(settings: Settings | None, config: LLMConfig, where: Path) -> LLMClient | str:
    """Return the language model, or why none is asked."""
    from synthcity.authored.locked.isolation import check_isolation
    from synthcity.authored.locked.lock import NotIsolated

    if settings is None:
        return "none is set"
    if config.caps.usd_per_run == 0:
        return "it may cost nothing"
    try:
        check_isolation()
    except NotIsolated as error:
        return f"what it writes cannot be held here ({error})"
    client = LLMClient(settings, config, folder=where)
    if client.availability.ready:
        return client
    client.close()
    return client.availability.reason


def _paid(output: Path) -> float:
    """Return what the researches of a round paid for a language model, killed ones included.

    Raises:
        RunError: a transcript is damaged.
    """
    try:
        found = [one for path in sorted(output.glob(f"*/{NAME}")) for one in spent(read_all(path)).values()]
    except (KeyError, TypeError) as error:
        raise RunError(f"a transcript in {output} is none of a language model: {error}") from error
    return sum((one.usd - one.replayed_usd for one in found), 0.0)

"""What a search is told of earlier runs: their best candidates, trained here again, and what changes did there.

Scores of another run are of other prompts or prices, so only leads over that run's own best baseline are told, in
percent, and only text for a language model is made of them: this run ranks what it has trained itself. A run whose
training or validation reaches into this search's test period is refused, since its choices know the test; so is one
that was told of such a run.

What was read is journalled (``earlier``) before the search begins, so a resumed one needs no other folder.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import cast

from synthcity.errors import ConfigError
from synthcity.market.periods import Period
from synthcity.search.candidates.candidate import Config
from synthcity.search.candidates.notation import short
from synthcity.search.candidates.space import canonical
from synthcity.search.config import SearchConfig
from synthcity.search.journal.events import Event
from synthcity.search.journal.folder import read_run
from synthcity.search.journal.history import TrialHistory
from synthcity.search.journal.parts import EarlierBest, EarlierRun, Network, Span
from synthcity.search.proposers.briefing import insights

_MOST_RUNS = 3
_BEST = 3  # candidates of a run
_INSIGHTS = 4  # of a run


def read_earlier(config: SearchConfig) -> list[EarlierRun]:
    """Return each of ``search.earlier`` as plain data.

    That is ``name``, ``trials``, ``best`` (config and lead), ``insights``, and ``knows``: source, start and end of all
    prices that it and the runs before it chose on.

    Raises:
        ConfigError: one is not of this competition, knows this search's test period or has no score, or there are too
            many.
        RunError: one is no run, or is damaged.
    """
    folders = config.search.earlier
    if len(folders) > _MOST_RUNS:
        raise ConfigError(f"search.earlier names {len(folders)} runs; name at most {_MOST_RUNS}, the best of them")
    return [_read(Path(folder), config) for folder in folders]


def _read(folder: Path, config: SearchConfig) -> EarlierRun:
    before, events = read_run(folder)
    if before.competition != config.competition:
        raise ConfigError(
            f"search.earlier: the run in {str(folder)!r} is of {before.competition}, not of {config.competition}; "
            "name runs of the same competition"
        )
    knows = _knows(before, events)
    test = config.data.periods.test
    for source, start, end in ((span[0], int(span[1]), int(span[2])) for span in knows):
        if source == config.data.source and start < test.end and test.start < end:
            raise ConfigError(
                f"search.earlier: the run in {str(folder)!r}, or one that it was told of, chose on prices of "
                f"{Period(start=start, end=end)}, which reach into this search's test period ({test}); "
                "leave it out or test later"
            )
    history = TrialHistory.replay(events)
    baseline = min(history.baselines.values(), default=None)
    best: list[EarlierBest] = []
    for record in history.scored:
        known = _known(record.candidate.config)
        if known is not None and len(best) < _BEST:
            lead = None if not baseline else 100 * ((record.score or 0.0) / baseline - 1)
            best.append(EarlierBest(config=known, lead=lead))
    if not best:
        raise ConfigError(f"search.earlier: the run in {str(folder)!r} has no trial with a score; leave it out")
    told = insights(history, _INSIGHTS, named=False)
    return EarlierRun(name=folder.resolve().name, trials=len(history.trials), best=best, insights=told, knows=knows)


def _knows(before: SearchConfig, events: Iterable[Event]) -> list[Span]:
    periods = before.data.periods
    told = [event for event in events if event["kind"] == "earlier"]
    inherited = [span for run in (told[-1]["runs"] if told else []) for span in run.get("knows", ())]
    return [[before.data.source, periods.train.start, periods.validation.end], *inherited]


def _known(config: Config) -> Network | None:
    """Return the canonical form; None where a component was written for that run alone."""
    try:
        return cast(Network, canonical(config))
    except ConfigError:
        return None


def candidates_of(runs: Iterable[EarlierRun]) -> list[tuple[str, Config]]:
    """Return the best candidates, each network once, with the name of their run."""
    found = {short(each["config"]): (run["name"], each["config"]) for run in runs for each in run["best"]}
    return list(found.values())


def describe(runs: Iterable[EarlierRun]) -> str:
    """Return what a language model is told."""
    lines = []
    for run in runs:
        lines.append(f"{run['name']}, {run['trials']} trials, its best:")
        for each in run["best"]:
            lead = "" if each["lead"] is None else f"{each['lead']:+.2f} % "
            lines.append(f"- {lead}{short(each['config'])}")
        lines += ["What changes did there:", *(f"- {line}" for line in run["insights"])] if run["insights"] else []
    return "\n".join(lines)

"""What a search is told of earlier runs: their best candidates, trained here again, and what changes did there.

Scores of another run are of other prompts or prices, so only leads over that run's own best baseline are told, in
percent, and only text for a language model is made of them: this run ranks what it has trained itself. A run whose
training or validation reaches into this search's test period is refused, since its choices know the test; so is one
that was told of such a run.

``vault:last 5`` takes the newest runs of the vault that can be used. They may be anybody's, so they are read as data:
the journal alone, bounded in size and held to its hash and form; those that cannot be used are left out and told.

What was read is journalled (``earlier``) before the search begins, so a resumed one needs no other folder.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import cast

from synthcity.errors import ConfigError, RunError, VaultError
from synthcity.market.periods import Period
from synthcity.private import private_folder
from synthcity.search.candidates.candidate import Config
from synthcity.search.candidates.notation import short
from synthcity.search.candidates.space import canonical
from synthcity.search.config import MOST_RUNS, SearchConfig, last_of_vault
from synthcity.search.journal.events import Event
from synthcity.search.journal.folder import read_run
from synthcity.search.journal.history import TrialHistory
from synthcity.search.journal.journal import JOURNAL, read_events
from synthcity.search.journal.parts import EarlierBest, EarlierRun, Network, Span
from synthcity.search.journal.standings import whole_scores
from synthcity.search.proposers.briefing import insights
from synthcity.vault import Entry, Vault, list_runs, open_vault
from synthcity.vault.base import Absent
from synthcity.vault.entry import DamagedEntry
from synthcity.vault.facts import copy_journal, run_facts
from synthcity.vault.pulling import fetch

_MOST_BYTES = 64_000_000  # of a journal in a vault
_BEST = 3  # candidates of a run
_INSIGHTS = 4  # of a run
_log = logging.getLogger(__name__)


def read_earlier(config: SearchConfig, tell: Callable[[str], None] = _log.warning) -> list[EarlierRun]:
    """Return each of ``search.earlier`` as plain data.

    That is ``name``, ``trials``, ``best`` (config and lead), ``insights``, and ``knows``: source, start and end of all
    prices that it and the runs before it chose on.

    Args:
        config: of this search.
        tell: takes a sentence for each of the last runs of the vault that cannot be used, and where it does not answer.

    Raises:
        ConfigError: one is not of this competition, knows this search's test period or has no score, or there are too
            many.
        RunError: one is no run, or is damaged.
    """
    named = config.search.earlier
    if len(named) > MOST_RUNS:
        raise ConfigError(f"search.earlier names {len(named)} runs; name at most {MOST_RUNS}, the best of them")
    found: list[EarlierRun] = []
    for name in named:
        if (count := last_of_vault(name)) is None:
            found.append(_read(Path(name), config))
        else:
            found += _last(count, config, tell)
    return found[:MOST_RUNS]


def _read(folder: Path, config: SearchConfig) -> EarlierRun:
    before, events = read_run(folder)
    where = f"in {str(folder)!r}"
    return _told(folder.resolve().name, where, before.competition, _knows(before, events), events, config)


def _last(count: int, config: SearchConfig, tell: Callable[[str], None]) -> list[EarlierRun]:
    """Return the newest runs of the vault that can be used; a run of another competition is passed over."""
    assert config.vault is not None
    found: list[EarlierRun] = []
    try:
        vault = open_vault(config.vault)
        for entry in list_runs(vault, tell):
            if entry.competition != config.competition:
                continue
            try:
                found.append(_read_entry(vault, entry, config))
            except (Absent, ConfigError, DamagedEntry, RunError) as error:
                tell(str(error))
            if len(found) == count:
                break
    except VaultError as error:
        tell(f"search.earlier: {error}; the search goes on with {len(found)} runs of the vault")
    return found


def _read_entry(vault: Vault, entry: Entry, config: SearchConfig) -> EarlierRun:
    """Read a run of the vault as data: its journal alone, in a folder from which nothing is loaded."""
    where = f"{entry.name!r} ({entry.id}) in {vault.name}"
    assert entry.run is not None
    _refuse_knowledge(where, [[known.source, known.start, known.end] for known in entry.run.knows], config)
    file = next((file for file in entry.files if file.path == JOURNAL), None)
    if file is None or file.size > _MOST_BYTES:
        raise RunError(
            f"search.earlier: the run {where} has no journal of at most {_MOST_BYTES:,} bytes; it is left out"
        )
    with private_folder() as folder:
        with (folder / JOURNAL).open("w+b") as target:
            fetch(vault, entry, file, target)
        events = read_events(folder / JOURNAL)
        facts = run_facts(folder, copy_journal(folder))
    knows: list[Span] = [[known.source, known.start, known.end] for known in facts.knows]
    return _told(entry.name, where, facts.competition, knows, events, config)


def _told(
    name: str, where: str, competition: str, knows: list[Span], events: list[Event], config: SearchConfig
) -> EarlierRun:
    if competition != config.competition:
        raise ConfigError(
            f"search.earlier: the run {where} is of {competition}, not of {config.competition}; "
            "name runs of the same competition"
        )
    _refuse_knowledge(where, knows, config)
    history = TrialHistory.replay(events)
    baseline, whole = min(history.baselines.values(), default=None), whole_scores(history.records)
    best: list[EarlierBest] = []
    for record in history.ranked:
        known = _known(record.candidate.config)
        if known is not None and len(best) < _BEST:
            lead = None if not baseline else 100 * (whole[record.candidate.hash] / baseline - 1)
            best.append(EarlierBest(config=known, lead=lead))
    if not best:
        raise ConfigError(f"search.earlier: the run {where} has no trial with a score; leave it out")
    told = insights(history, _INSIGHTS, named=False)
    return EarlierRun(name=name, trials=len(history.trials), best=best, insights=told, knows=knows)


def _refuse_knowledge(where: str, knows: list[Span], config: SearchConfig) -> None:
    test = config.data.periods.test
    for source, start, end in ((span[0], int(span[1]), int(span[2])) for span in knows):
        if source == config.data.source and start < test.end and test.start < end:
            raise ConfigError(
                f"search.earlier: the run {where}, or one that it was told of, chose on prices of "
                f"{Period(start=start, end=end)}, which reach into this search's test period ({test}); "
                "leave it out or test later"
            )


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

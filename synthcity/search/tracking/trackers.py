"""All trackers of one run, as the recorder and the report see them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from itertools import chain
from pathlib import Path

from synthcity.errors import ConfigError, unknown_name
from synthcity.private import without_secrets
from synthcity.search.journal.events import Event
from synthcity.search.journal.history import TrialHistory
from synthcity.search.report.model import Report
from synthcity.search.tracking.child import PATIENCE_SECONDS
from synthcity.search.tracking.feed import Feed
from synthcity.search.tracking.records import of_event, of_report, of_run, of_system, told
from synthcity.search.tracking.sinks.sink import EndTold, LogTold, Record
from synthcity.settings import Settings

TRACKERS = ("wandb", "trackio")
_HASTE_SECONDS = 5.0  # for a run that was stopped
_ELSEWHERE = ("TRACKIO_SPACE_ID", "TRACKIO_SERVER_URL", "TRACKIO_BUCKET_ID", "TRACKIO_WEBHOOK_URL")


def check_trackers(names: Iterable[str]) -> None:
    """Refuse trackers that there are not, or that are not installed, and settings that they could not be told by.

    Raises:
        ConfigError: the first of them, with the remedy.
    """
    names = tuple(names)
    for name in names:
        if name not in TRACKERS:
            raise ConfigError(f"track: {unknown_name('tracker', name, TRACKERS)}")
        spec = find_spec(name)
        if spec is None or spec.origin is None:  # a folder of that name, as W&B makes them, is no package
            raise ConfigError(f"track: {name} is not installed; pip install 'synth-city[track]' brings it")
    if names:
        Settings.load()


def environ_of(name: str, settings: Settings) -> dict[str, str]:
    """Return what the process of one tracker gets to know: the key of W&B for W&B alone, no other secret."""
    environ = without_secrets(os.environ)
    for elsewhere in _ELSEWHERE:
        environ.pop(elsewhere, None)
    key = settings.wandb_api_key.reveal()
    if name == "wandb" and key:
        environ["WANDB_API_KEY"] = key
    return environ | {"HF_HUB_OFFLINE": "1", "WANDB_SILENT": "true", "WANDB_ERROR_REPORTING": "false"}


class Trackers:
    """Tells a live run to trackers; a display of the recorder's, which never makes it wait.

    A resumed run is told whole again, from its first event, as a run of that session.
    """

    def __init__(self, names: Sequence[str], folder: Path, events: Sequence[Event]) -> None:
        """Args: ``events`` is the journal's own list of what was written before; it is not kept."""
        self._names, self._folder = names, folder
        self._past, self._step = list(events), len(events)
        self._feeds: list[Feed] = []

    def begin(self, history: TrialHistory) -> None:
        """Wait for the run to be announced: only then it can be told."""

    def update(self, event: Event, history: TrialHistory) -> None:
        """Tell one event."""
        if not self._names:
            return
        step, self._step = self._step, self._step + 1
        if not self._feeds:
            self._past.append(event)
            if event["kind"] == "run_started" or event["kind"] == "run_resumed":
                self._open(history)
            return
        values = of_event(event, history)
        if event["kind"] == "rung":
            values |= of_system(self._folder)
        if values:
            self._put(LogTold(what="log", step=step, values=values))

    def finish(self, report: Report) -> list[str]:
        """Tell the result and return what a person must know of the trackers, a sentence each."""
        self._put(of_report(report))
        return self._close(PATIENCE_SECONDS)

    def close(self) -> list[str]:
        """End without a result where none was told, in haste."""
        self._put(EndTold(what="end", values={}))
        return self._close(_HASTE_SECONDS)

    def _open(self, history: TrialHistory) -> None:
        settings, past = Settings.load(), tuple(self._past)
        session = sum(each.announced for each in history.sessions)
        assert history.run is not None
        run = of_run(history.run, self._folder, settings.project, session=session)

        def records() -> Iterable[Record]:
            earlier = (record for record in told(past, self._folder, settings.project) if record["what"] != "run")
            return chain([run], earlier)

        self._feeds = [Feed(name, environ_of(name, settings), records()) for name in self._names]
        self._past = []

    def _put(self, record: Record) -> None:
        for feed in self._feeds:
            feed.put(record)

    def _close(self, seconds: float) -> list[str]:
        feeds, self._feeds, self._names = self._feeds, [], ()
        if not feeds:
            return []
        with ThreadPoolExecutor(len(feeds)) as threads:  # side by side: each may take its whole time
            return [note for notes in threads.map(lambda feed: feed.close(seconds), feeds) for note in notes]

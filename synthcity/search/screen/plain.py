"""A search as lines: one for each event that matters, led by the time that is left."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console

from synthcity.search.candidates.notation import sketch
from synthcity.search.journal.diagnosis import LIMIT
from synthcity.search.journal.events import Answered, Event
from synthcity.search.journal.history import TrialHistory, TrialRecord
from synthcity.search.journal.progress import Progress
from synthcity.search.journal.surroundings import MachinesTold
from synthcity.search.proposers.stall import STEPS
from synthcity.search.screen.frame import Count, clock, overload
from synthcity.wording import percent

_TOLD_EVERY_SECONDS = 20.0


class PlainDisplay:
    """One line for each event that matters, led by the time that is left.

    What had happened before a run was resumed is counted but not told again.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._counting = self._told = self._arrived = time.monotonic()
        self._progress = Progress(TrialHistory())
        self._was_busy = False

    def __enter__(self) -> PlainDisplay:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def begin(self, history: TrialHistory) -> None:
        """Say nothing: the first event of the session says what there was."""

    def update(self, event: Event, history: TrialHistory) -> None:
        """Tell the event."""
        self._progress, self._arrived = Progress(history), time.monotonic()
        if event["kind"] == "stage":
            self._counting = self._told = time.monotonic()
        text = plain_line(self._progress, event)
        if text is not None:
            self._say(text)
            if (busy := overload()) and not self._was_busy:
                self._say(f"{busy}; times are worth less")
            self._was_busy = bool(busy)

    def count(self, done: int, of: int) -> None:
        """Tell now and then how far the stage is."""
        now = time.monotonic()
        if done < of and now - self._told >= _TOLD_EVERY_SECONDS:
            self._told = now
            self._say(f"{self._progress.history.stage}: {Count(done=done, of=of, seconds=now - self._counting).text}")

    def _say(self, text: str) -> None:
        since = time.monotonic() - self._arrived  # the clock goes on where no event comes
        self._console.print(f"[{_clock(self._progress, since)}] {text}", markup=False, highlight=False, soft_wrap=True)


def _clock(progress: Progress, since: float) -> str:
    told = clock(progress, since)
    return told.partition(", ")[2] or told


def plain_line(progress: Progress, event: Event) -> str | None:
    """Return what one line says of ``event``, None if it is not worth one; ``progress`` includes the event."""
    if event["kind"] == "run_started" or event["kind"] == "run_resumed":
        return _run_line(progress, resumed=event["kind"] == "run_resumed")
    if event["kind"] == "run_extended":
        return f"the run goes on to {event['trials']} trials; its finals are held again"
    if event["kind"] == "stage":
        return event["message"] or event["name"]
    if event["kind"] == "candidate":
        candidate = progress.history.trials[event["id"]].candidate
        return f"trial {candidate.id} is next: {sketch(candidate.config)}, by {candidate.origin}"
    if event["kind"] == "rung":
        return _rung_line(progress, progress.history.trials[event["id"]])
    if event["kind"] == "trial_finished":
        return _finished_line(progress, progress.history.trials[event["id"]])
    if event["kind"] == "finalist":
        # on fresh prompts, so not to be held against the baselines' scores of the search
        return f"finalist {event['name']}: {event['score']:.1f} on fresh validation prompts"
    if event["kind"] == "research":
        return f"research: {event['text']}"
    if event["kind"] == "researched":
        return f"research is over: {event['sentence']}"
    if event["kind"] == "answered":
        return _answer_line(event)
    if event["kind"] == "authored":
        return f"the author's {event['component']} {event['name']} is admitted"
    if event["kind"] == "author_refused":
        return f"a file of the author is refused ({event['stage']}): {event['reason'].splitlines()[0]}"
    if event["kind"] == "chosen":
        return event.get("why", f"{event['name']} is frozen")
    return _trouble_line(event)


def _answer_line(event: Answered) -> str | None:
    count = len(event["proposals"])
    if not count:
        return None  # the failure has a line of its own
    text = f"{event['source']} proposes {count} candidate{'' if count == 1 else 's'} for {event['usd']:.4f} USD"
    return text + (f"; a correction failed: {event['error']}" if event["error"] else "")


def _trouble_line(event: Event) -> str | None:
    """What went wrong outside the trials' own code."""
    if event["kind"] == "worker_died":
        return f"the worker of trial {event['id']} died; the trial goes on from its last checkpoint"
    if event["kind"] == "node_lost":
        return f"trial {event['id']} lost its machine; it goes on from its last checkpoint on another"
    if event["kind"] == "machines":
        return _machines_line(event)
    if event["kind"] == "tune_lost":
        return f"Ray Tune's loop broke and starts afresh: {event['error']}"
    if event["kind"] == "proposer_failed":
        return f"the proposer {event['source']} failed: {event['error']}"
    if event["kind"] == "stall":
        return f"no gain in {event['since']} trials: {STEPS[event['level']]}" if event["level"] else "it gains again"
    if event["kind"] == "diagnosis":
        end = "nothing as large is tried again" if event["action"] == LIMIT else "not repaired"
        return f"trial {event['id']} ({event['cause']}) {end}: {event['reason']}"
    if event["kind"] == "arm_state":
        return f"the proposer {event['source']} is {event['state']}" + (event["reason"] and f": {event['reason']}")
    if event["kind"] == "degraded":
        return event["note"]
    if event["kind"] == "author_ended" and event["admitted"] is None:
        return f"the author wrote no component: {event['reason'] or event['status']}"
    return None


def _machines_line(event: MachinesTold) -> str:
    count, gpus = event["machines"], event["gpus"]
    text = f"{count or 'no'} machine{'' if count == 1 else 's'}" + (f" with {gpus:g} GPUs" if gpus else "")
    return f"{text}, {event['usd_per_hour']:.2f} USD an hour" if event["usd_per_hour"] else text


def _run_line(progress: Progress, *, resumed: bool) -> str:
    run, best = progress.history.run, progress.best_baseline
    assert run is not None
    text = f"{'resumed' if resumed else 'started'} {run.get('name', '')}: {run.get('competition', '')} on "
    trials, workers = run.get("trials"), run["workers"]
    text += f"{', '.join(run.get('assets', ()))}; {trials} trial{'' if trials == 1 else 's'}, "
    text += f"{workers} worker{'' if workers == 1 else 's'}"
    return text + (f"; best baseline {best[0]} scores {best[1]:.1f}" if best else "")


def _rung_line(progress: Progress, record: TrialRecord) -> str:
    last, own, speed = record.last, record.curve[-1], record.steps_per_second
    assert last is not None
    text = f"trial {record.id} rung {last['rung']}/{last['num_rungs']}: {_versus(progress, own)}"
    text += "" if speed is None else f", {speed:.0f} steps/s"
    if record.score is not None and record.score < own:
        return f"{text}; its best rung: {_versus(progress, record.score)}"
    best = progress.best_trial
    return text + (", best so far" if best is not None and record.id == best.id else "")


def _finished_line(progress: Progress, record: TrialRecord) -> str:
    text = f"trial {record.id} ({record.candidate.origin}, {sketch(record.candidate.config)}) {record.status}"
    if record.failure:
        message = record.failure["message"].strip().splitlines()
        return f"{text}: {record.failure['class']}: {message[0] if message else ''}"
    return f"{text}: {_versus(progress, record.score)}"


def _versus(progress: Progress, score: float | None) -> str:
    lead, best = progress.relative(score), progress.best_baseline
    if lead is None or best is None:
        return "no score" if score is None else f"score {score:.1f}"
    return f"{percent(lead)} over {best[0]}"

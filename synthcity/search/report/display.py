"""What a user sees while a search runs: a live table on a terminal, plain lines anywhere else."""

from __future__ import annotations

import threading
import time
from collections import Counter
from types import TracebackType

from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from synthcity.search.arms import OPEN
from synthcity.search.candidates.notation import sketch
from synthcity.search.journal.diagnosis import LIMIT
from synthcity.search.journal.events import Answered, Event
from synthcity.search.journal.history import FAILED, QUEUED, RUNNING, TrialHistory, TrialRecord
from synthcity.search.journal.progress import Progress
from synthcity.search.proposers.stall import STEPS
from synthcity.wording import duration, percent

_STYLES = {"running": "cyan", "completed": "green", "stopped": "dim", "failed": "red", "queued": "dim"}
_CHROME_LINES = 10  # header, column titles and margins around the rows of trials


def open_display(console: Console | None = None) -> LiveDisplay | PlainDisplay:
    """Return the live table if ``console`` (default: stdout) is a terminal, else plain lines."""
    console = console or Console()
    return LiveDisplay(console) if console.is_terminal else PlainDisplay(console)


class LiveDisplay:
    """A table of trials under a line of figures, redrawn four times a second by a thread of its own.

    The thread matters: the loop that feeds the events may stand still for seconds while the clock must not.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._history, self._arrived = TrialHistory(), time.monotonic()
        self._lock = threading.Lock()
        self._live = Live(
            console=console, get_renderable=self._render, refresh_per_second=4, transient=False, screen=False
        )

    def __enter__(self) -> LiveDisplay:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def begin(self, history: TrialHistory) -> None:
        """Show what a resumed run had done."""
        with self._lock:
            self._history, self._arrived = history, time.monotonic()

    def update(self, event: Event, history: TrialHistory) -> None:
        """Show what has become of the run."""
        self.begin(history)

    def _render(self) -> RenderableType:
        with self._lock:
            progress, since = Progress(self._history), time.monotonic() - self._arrived
        rows = max(3, self._console.size.height - _CHROME_LINES)
        return Group(*header(progress, since), trial_table(progress, rows))


def header(progress: Progress, since: float) -> list[RenderableType]:
    """Name, budget bar, time left, best so far and failures, ``since`` seconds after the last event."""
    history, run = progress.history, progress.history.run
    title = Text.assemble(
        ("synthcity search ", "bold"),
        (run.get("name", "") if run else "", "bold cyan"),
        f"  {run.get('competition', '')}  {' '.join(run.get('assets', ()))}" if run else "",
        no_wrap=True,
        overflow="ellipsis",
    )
    used, budget = history.used_seconds + since, run.get("time_budget") if run else None
    trials = run.get("trials") if run else None
    bar = Table.grid(padding=(0, 1))
    share, total = (used, budget) if budget else (progress.num_finished, trials or 1)
    left = progress.left_seconds(since)
    clock = f"{duration(used)} used" + ("" if left is None else f", {duration(left)} left")
    counts = f"{progress.num_finished} of {trials} trials" if trials else ""
    bar.add_row(ProgressBar(total=float(total), completed=float(share), width=28), clock, counts)
    lines: list[RenderableType] = [title, bar, _best_line(progress)]
    if progress.usd or history.arms:
        lines.append(_arms_line(progress))
    if history.stage:
        lines.append(Text(history.stage, style="italic", no_wrap=True, overflow="ellipsis"))
    return lines


def _best_line(progress: Progress) -> Text:
    best, baseline = progress.best_trial, progress.best_baseline
    parts: list[str | tuple[str, str]] = ["best so far "]
    if best is None or baseline is None:
        parts.append(("none yet", "dim"))
    else:
        lead = progress.relative(best.score) or 0.0
        parts += [(percent(lead), "bold green" if lead < 0 else "bold yellow"), f" against {baseline[0]}"]
        parts.append((f" (trial {best.id}, {best.candidate.source})", "dim"))
    parts.append("   failures ")
    parts.append((str(progress.num_failed), "red" if progress.num_failed else "dim"))
    parts.append(f"   rejected {len(progress.history.rejections)}")
    return Text.assemble(*parts, no_wrap=True, overflow="ellipsis")


def _arms_line(progress: Progress) -> Text:
    """Trials by source, what a language model cost, and who is away."""
    arms = progress.history.arms
    counts = Counter(record.candidate.source for record in progress.history.records)
    parts: list[str | tuple[str, str]] = ["proposed by "]
    for at, name in enumerate(sorted({*counts, *progress.usd, *arms})):
        parts.append(f"{'   ' if at else ''}{name} {counts[name]}")
        if name in progress.usd:
            parts.append((f" {progress.usd[name]:.4f} USD", "dim"))
        if name in arms and arms[name].state != OPEN:
            parts.append((f" {arms[name].state}", "yellow"))
    return Text.assemble(*parts, no_wrap=True, overflow="ellipsis")


def trial_table(progress: Progress, rows: int) -> Table:
    """The running trials, then the best finished ones, at most ``rows`` of them."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, expand=False)
    # who looks at 80 columns must read trial, rung and score whole
    table.add_column("trial", no_wrap=True, min_width=5)
    table.add_column("source", no_wrap=True, overflow="ellipsis", min_width=8)
    table.add_column("architecture", min_width=10)  # this and the state may shrink: their cells are cut, not wrapped
    table.add_column("rung", justify="right", no_wrap=True, min_width=4)
    table.add_column(_baseline_title(progress), justify="right", no_wrap=True, min_width=7)  # of the last rung
    table.add_column("its best", justify="right", no_wrap=True, min_width=8)
    table.add_column("steps/s", justify="right", no_wrap=True, min_width=7)
    table.add_column("state", min_width=9)  # "completed"
    shown = sorted((record for record in progress.history.records if record.status != QUEUED), key=_rank)
    for record in shown[:rows]:
        table.add_row(*_cells(progress, record))
    hidden = len(shown) - rows
    if hidden > 0:
        table.caption = f"and {hidden} more"
    return table


def _rank(record: TrialRecord) -> tuple[int, float]:
    order = {RUNNING: 0, FAILED: 2}.get(record.status, 1)
    return order, (record.started_at or 0.0) if order == 0 or record.score is None else record.score


def _cells(progress: Progress, record: TrialRecord) -> list[Text]:
    last, speed = record.last, record.steps_per_second
    state = record.status
    if record.failure:
        state = f"failed: {record.failure['class']}"
    # Text, not str: names come from proposers and must not be read as markup
    return [
        Text(record.id),
        Text(record.candidate.source),
        Text(sketch(record.candidate.config), no_wrap=True, overflow="ellipsis"),
        Text(f"{last['rung']}/{last['num_rungs']}" if last else "-"),
        _difference(progress.relative(record.curve[-1] if last else None)),
        _difference(progress.relative(record.score)),
        Text("-" if speed is None else f"{speed:.0f}" if speed >= 10 else f"{speed:.1f}"),
        Text(state, style=_STYLES[record.status], no_wrap=True, overflow="ellipsis"),
    ]


def _difference(value: float | None) -> Text:
    return Text(percent(value), style="" if value is None else "green" if value < 0 else "yellow")


def _baseline_title(progress: Progress) -> str:
    best = progress.best_baseline
    return f"vs {best[0]}" if best else "vs baseline"


class PlainDisplay:
    """One line for each event that matters, led by the time that is left.

    What had happened before a run was resumed is counted but not told again.
    """

    def __init__(self, console: Console) -> None:
        self._console = console

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
        progress = Progress(history)
        text = plain_line(progress, event)
        if text is not None:
            left = progress.left_seconds()
            clock = f"{duration(history.used_seconds)} used" if left is None else f"{duration(left)} left"
            self._console.print(f"[{clock}] {text}", markup=False, highlight=False, soft_wrap=True)


def plain_line(progress: Progress, event: Event) -> str | None:
    """Return what one line says of ``event``, None if it is not worth one; ``progress`` includes the event."""
    if event["kind"] == "run_started" or event["kind"] == "run_resumed":
        return _run_line(progress, resumed=event["kind"] == "run_resumed")
    if event["kind"] == "run_extended":
        return f"the run goes on to {event['trials']} trials; its finals are held again"
    if event["kind"] == "stage":
        return event["message"] or event["name"]
    if event["kind"] == "rung":
        return _rung_line(progress, progress.history.trials[event["id"]])
    if event["kind"] == "trial_finished":
        return _finished_line(progress, progress.history.trials[event["id"]])
    if event["kind"] == "finalist":
        # on fresh prompts, so not to be held against the baselines' scores of the search
        return f"finalist {event['name']}: {event['score']:.1f} on fresh validation prompts"
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


def _run_line(progress: Progress, *, resumed: bool) -> str:
    run, best = progress.history.run, progress.best_baseline
    assert run is not None
    text = f"{'resumed' if resumed else 'started'} {run.get('name', '')}: {run.get('competition', '')} on "
    text += f"{', '.join(run.get('assets', ()))}; {run.get('trials')} trials, {run['workers']} workers"
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
    text = f"trial {record.id} ({record.candidate.source}, {sketch(record.candidate.config)}) {record.status}"
    if record.failure:
        message = record.failure["message"].strip().splitlines()
        return f"{text}: {record.failure['class']}: {message[0] if message else ''}"
    return f"{text}: {_versus(progress, record.score)}"


def _versus(progress: Progress, score: float | None) -> str:
    lead, best = progress.relative(score), progress.best_baseline
    if lead is None or best is None:
        return "no score" if score is None else f"score {score:.1f}"
    return f"{percent(lead)} against {best[0]}"

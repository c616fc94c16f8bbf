"""What a user sees while a search runs: a live table on a terminal, plain lines anywhere else."""

from __future__ import annotations

import threading
import time
from collections import Counter
from types import TracebackType
from typing import Any

from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from synthcity.search.arms import OPEN
from synthcity.search.candidates.notation import sketch
from synthcity.search.journal.diagnosis import LIMIT
from synthcity.search.journal.progress import Event, Progress, Trial, duration, percent
from synthcity.search.proposers.stall import STEPS

_STYLES = {"running": "cyan", "completed": "green", "stopped": "dim", "failed": "red", "waiting": "dim"}
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
        self._progress = Progress()
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

    def update(self, event: Event) -> None:
        with self._lock:
            self._progress.update(event)

    def _render(self) -> RenderableType:
        with self._lock:
            rows = max(3, self._console.size.height - _CHROME_LINES)
            return Group(*header(self._progress, time.time()), trial_table(self._progress, rows))


def header(progress: Progress, now: float) -> list[RenderableType]:
    """Name, budget bar, time left, best so far and failures."""
    run = progress.run
    title = Text.assemble(
        ("synthcity search ", "bold"),
        (str(run.get("name", "")), "bold cyan"),
        f"  {run.get('competition', '')}  {' '.join(run.get('assets', ()))}",
        no_wrap=True,
        overflow="ellipsis",
    )
    used, budget = progress.used_seconds(now), run.get("time_budget")
    bar = Table.grid(padding=(0, 1))
    share, total = (used, budget) if budget else (progress.num_finished, run.get("trials") or 1)
    left = progress.left_seconds(now)
    clock = f"{duration(used)} used" + ("" if left is None else f", {duration(left)} left")
    counts = f"{progress.num_finished} of {run['trials']} trials" if run.get("trials") else ""
    bar.add_row(ProgressBar(total=float(total), completed=float(share), width=28), clock, counts)
    lines: list[RenderableType] = [title, bar, _best_line(progress)]
    if progress.usd or progress.arms:
        lines.append(_arms_line(progress))
    if progress.stage:
        text = progress.stage.get("message") or progress.stage.get("name", "")
        lines.append(Text(str(text), style="italic", no_wrap=True, overflow="ellipsis"))
    return lines


def _best_line(progress: Progress) -> Text:
    best, baseline = progress.best_trial, progress.best_baseline
    parts: list[Any] = ["best so far "]
    if best is None or baseline is None:
        parts.append(("none yet", "dim"))
    else:
        lead = progress.relative(best.score) or 0.0
        parts += [(percent(lead), "bold green" if lead < 0 else "bold yellow"), f" against {baseline[0]}"]
        parts.append((f" (trial {best.id}, {best.source})", "dim"))
    parts.append("   failures ")
    parts.append((str(progress.num_failed), "red" if progress.num_failed else "dim"))
    parts.append(f"   rejected {len(progress.rejected)}")
    return Text.assemble(*parts, no_wrap=True, overflow="ellipsis")


def _arms_line(progress: Progress) -> Text:
    """Trials by source, what a language model cost, and who is away."""
    counts = Counter(trial.source for trial in progress.trials.values())
    parts: list[Any] = ["proposed by "]
    for at, name in enumerate(sorted({*counts, *progress.usd, *progress.arms})):
        parts.append(f"{'   ' if at else ''}{name} {counts[name]}")
        if name in progress.usd:
            parts.append((f" {progress.usd[name]:.4f} USD", "dim"))
        if progress.arms.get(name, OPEN) != OPEN:
            parts.append((f" {progress.arms[name]}", "yellow"))
    return Text.assemble(*parts, no_wrap=True, overflow="ellipsis")


def trial_table(progress: Progress, rows: int) -> Table:
    """The running trials, then the best finished ones, at most ``rows`` of them."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, expand=False)
    table.add_column("trial", no_wrap=True)
    table.add_column("source", no_wrap=True)
    table.add_column("architecture", no_wrap=True, overflow="ellipsis", ratio=1)
    table.add_column("rung", justify="right", no_wrap=True)
    table.add_column(_baseline_title(progress), justify="right", no_wrap=True)
    table.add_column("steps/s", justify="right", no_wrap=True)
    table.add_column("state", no_wrap=True, min_width=9)  # "completed"
    shown = sorted((t for t in progress.trials.values() if t.state != "waiting"), key=_rank)
    for trial in shown[:rows]:
        table.add_row(*_cells(progress, trial))
    hidden = len(shown) - rows
    if hidden > 0:
        table.caption = f"and {hidden} more"
    return table


def _rank(trial: Trial) -> tuple[int, float]:
    order = {"running": 0, "completed": 1, "stopped": 1, "failed": 2}[trial.state]
    return order, (trial.started or 0.0) if order == 0 or trial.score is None else trial.score


def _cells(progress: Progress, trial: Trial) -> list[Text]:
    lead, speed = progress.relative(trial.score), trial.steps_per_second
    state = trial.state
    if trial.failure:
        state = f"failed: {trial.failure.get('class', '')}"
    # Text, not str: names come from proposers and must not be read as markup
    return [
        Text(trial.id),
        Text(trial.source),
        Text(sketch(trial.config)),
        Text(f"{trial.rung}/{trial.num_rungs}" if trial.num_rungs else "-"),
        Text(percent(lead), style="" if lead is None else "green" if lead < 0 else "yellow"),
        Text("-" if speed is None else f"{speed:.0f}" if speed >= 10 else f"{speed:.1f}"),
        Text(state, style=_STYLES[trial.state]),
    ]


def _baseline_title(progress: Progress) -> str:
    best = progress.best_baseline
    return f"vs {best[0]}" if best else "vs baseline"


class PlainDisplay:
    """One line for each event that matters, led by the time that is left.

    A resumed search replays its journal; what happened before ``since`` (unix seconds, default now) is counted but
    not told again.
    """

    def __init__(self, console: Console, *, since: float | None = None) -> None:
        self._console = console
        self._since = time.time() if since is None else since
        self._progress = Progress()
        self._lock = threading.Lock()

    def __enter__(self) -> PlainDisplay:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def update(self, event: Event) -> None:
        with self._lock:
            self._progress.update(event)
            text = plain_line(self._progress, event)
            if text is not None and event["time"] >= self._since:
                self._console.print(self._clock(event["time"]) + text, markup=False, highlight=False, soft_wrap=True)

    def _clock(self, now: float) -> str:
        left = self._progress.left_seconds(now)
        clock = f"{duration(self._progress.used_seconds(now))} used" if left is None else f"{duration(left)} left"
        return f"[{clock}] "


def plain_line(progress: Progress, event: Event) -> str | None:
    """Return what one line says of ``event``, None if it is not worth one; ``progress`` includes the event."""
    kind = event["kind"]
    if kind in ("run_started", "run_resumed"):
        return _run_line(progress, resumed=kind == "run_resumed")
    if kind == "stage":
        return str(event.get("message") or event["name"])
    if kind == "rung":
        return _rung_line(progress, progress.trials[str(event["id"])])
    if kind == "trial_finished":
        return _finished_line(progress, progress.trials[str(event["id"])])
    if kind == "finalist":
        # on fresh prompts, so not to be held against the baselines' scores of the search
        return f"finalist {event['name']}: {event['score']:.1f} on fresh validation prompts"
    if kind == "answered":
        return _answer_line(event)
    if kind == "authored":
        return f"the author's {event['component']} {event['name']} is admitted"
    if kind == "author_refused":
        return f"a file of the author is refused ({event['stage']}): {event['reason'].splitlines()[0]}"
    if kind == "winner":
        return f"best on fresh validation prompts: {event['name']}"
    return _trouble_line(event)


def _answer_line(event: Event) -> str | None:
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
    if event["kind"] == "author_ended" and event["admitted"] is None:
        return f"the author wrote no component: {event['reason'] or event['status']}"
    return None


def _run_line(progress: Progress, *, resumed: bool) -> str:
    run, best = progress.run, progress.best_baseline
    text = f"{'resumed' if resumed else 'started'} {run.get('name', '')}: {run.get('competition', '')} on "
    text += f"{', '.join(run.get('assets', ()))}; {run.get('trials')} trials, {run.get('workers')} workers"
    return text + (f"; best baseline {best[0]} scores {best[1]:.1f}" if best else "")


def _rung_line(progress: Progress, trial: Trial) -> str:
    speed = trial.steps_per_second
    text = f"trial {trial.id} rung {trial.rung}/{trial.num_rungs}: {_versus(progress, trial.last['score'])}"
    text += "" if speed is None else f", {speed:.0f} steps/s"
    rung_score = trial.last.get("rung_score", trial.last["score"])
    return text + (", best so far" if trial is progress.best_trial and trial.score == rung_score else "")


def _finished_line(progress: Progress, trial: Trial) -> str:
    text = f"trial {trial.id} ({trial.source}, {sketch(trial.config)}) {trial.state}"
    if trial.failure:
        message = str(trial.failure.get("message", "")).strip().splitlines()
        return f"{text}: {trial.failure.get('class', '')}: {message[0] if message else ''}"
    return f"{text}: {_versus(progress, trial.score)}"


def _versus(progress: Progress, score: float | None) -> str:
    lead, best = progress.relative(score), progress.best_baseline
    if lead is None or best is None:
        return "no score" if score is None else f"score {score:.1f}"
    return f"{percent(lead)} against {best[0]}"

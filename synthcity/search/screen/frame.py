"""The live view as one picture: name, budget, best so far, what goes on and the trials, within columns and rows.

Whoever looks at 80 columns must read id, rung and scores whole; sources, architectures and states are cut before them.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass

from rich import box
from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from synthcity.search.arms import OPEN, RERUN
from synthcity.search.candidates.notation import sketch
from synthcity.search.journal.history import FAILED, QUEUED, RUNNING, TrialRecord
from synthcity.search.journal.progress import Progress
from synthcity.wording import SIGN, duration, percent

_STYLES = {"running": "cyan", "completed": "green", "stopped": "dim", "failed": "red", "queued": "dim"}
_TABLE_LINES = 5  # titles, their rule, the caption, and a margin above and below
_BUSY = 2.0  # processes that want to run, for each core


@dataclass(frozen=True, kw_only=True)
class Count:
    """How far the stage is: ``done`` of ``of``, ``seconds`` after its first."""

    done: int
    of: int
    seconds: float

    @property
    def left_seconds(self) -> float | None:
        """What is left at the pace so far; None before there is a pace."""
        return self.seconds / self.done * (self.of - self.done) if self.done else None

    @property
    def text(self) -> str:
        """As in "120 of 270, about 0:40 left"."""
        left = self.left_seconds
        return f"{self.done} of {self.of}" + ("" if left is None or not left else f", about {duration(left)} left")


def frame(progress: Progress, since: float, height: int, count: Count | None = None) -> RenderableType:
    """Return the whole view, ``since`` seconds after the last event, in at most ``height`` lines."""
    head = header(progress, since, count)
    if not progress.history.records:
        return Group(*head)
    return Group(*head, trial_table(progress, max(1, height - len(head) - _TABLE_LINES)))


def header(progress: Progress, since: float, count: Count | None = None) -> list[RenderableType]:
    """Name, budget bar, time left, best so far, failures, who proposed, and what goes on."""
    history, run = progress.history, progress.history.run
    if run is None:
        return [Text.assemble(("synthcity search ", "bold"), ("starts", "dim"))]
    title = Text.assemble(
        ("synthcity search ", "bold"),
        (run.get("name", ""), "bold cyan"),
        f"  {run.get('competition', '')}  {' '.join(run.get('assets', ()))}",
    )
    lines: list[Text | Table] = [title, _budget(progress, since), _best_line(progress), _counts_line(progress)]
    if busy := overload():
        lines.append(Text(busy, style="yellow"))
    if history.stage:
        done = f": {count.text}" if count is not None else ""
        lines.append(Text(history.stage + done, style="italic"))
    if history.researching:
        lines.append(Text(f"research: {history.researching}"))
    for line in lines:
        if isinstance(line, Text):
            line.no_wrap, line.overflow = True, "ellipsis"
    return [*lines]


def overload() -> str:
    """Say that others want this machine's cores too, since times mislead then; "" where it is quiet."""
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    return f"this machine is busy: {load:.0f} processes want its {cores} cores" if load > _BUSY * cores else ""


def _budget(progress: Progress, since: float) -> Table:
    run = progress.history.run
    assert run is not None
    used, budget, trials = progress.history.used_seconds + since, run.get("time_budget"), run.get("trials")
    bar = Table.grid(padding=(0, 1))
    share, total = (used, budget) if budget else (progress.num_finished, trials or 1)
    counts = f"{progress.num_finished} of {trials} trial{'' if trials == 1 else 's'}" if trials else ""
    drawn = ProgressBar(total=float(total), completed=min(float(share), float(total)), width=22)
    bar.add_row(drawn, clock(progress, since), counts)
    return bar


def clock(progress: Progress, since: float) -> str:
    """Time used, and what is left of the budget or how much it is over."""
    run = progress.history.run
    used, budget = progress.history.used_seconds + since, run.get("time_budget") if run else None
    if budget is None:
        return f"{duration(used)} used"
    if used > budget:
        return f"{duration(used)} used, {duration(used - budget)} over the budget"
    return f"{duration(used)} used, {duration(budget - used)} left"


def _best_line(progress: Progress) -> Text:
    best, baseline = progress.best_trial, progress.best_baseline
    if baseline is None:
        return Text.assemble("best so far ", ("the baselines are being scored", "dim"))
    if best is None:
        return Text.assemble("best so far ", (f"{baseline[0]}, a baseline with {baseline[1]:.1f} bps", "dim"))
    lead = progress.relative(best.score) or 0.0
    return Text.assemble(
        f"best so far {best.id} ({best.candidate.origin}) ",
        (percent(lead), "bold green" if lead < 0 else "bold yellow"),
        f" over {baseline[0]}",
        (f"   {SIGN}", "dim"),
    )


def _counts_line(progress: Progress) -> Text:
    """Trials by source, what a language model cost, who is away, failures and refusals."""
    history = progress.history
    counts = Counter(record.candidate.source for record in history.records)
    parts: list[str | tuple[str, str]] = []
    again = counts.pop(RERUN, 0)
    for name in sorted({*counts, *progress.usd, *history.arms}):
        parts.append(f"{name} {counts[name]}")
        if name in progress.usd:
            parts.append((f" {progress.usd[name]:.4f} USD", "dim"))
        if name in history.arms and history.arms[name].state != OPEN:
            parts.append((f" {history.arms[name].state}", "yellow"))
        parts.append("  ")
    failed, refused = progress.num_failed, len(history.rejections)
    if again:
        parts.append((f"trained again {again}  ", "dim"))
    parts.append((f"failed {failed}", "red" if failed else "dim"))
    parts.append((f"  refused {refused}", "dim"))
    return Text.assemble("proposed by ", *parts) if counts else Text.assemble(*parts)


def trial_table(progress: Progress, rows: int) -> Table:
    """The running trials, then the best finished ones, then those that wait, at most ``rows`` of them."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    own = f"over {progress.best_baseline[0]}" if progress.best_baseline else "lead"
    shown = sorted(progress.history.records, key=_rank)
    cells = [_cells(progress, record) for record in shown[:rows]]
    titles = ("trial", "source", "network", "rung", own, "its best", "steps/s", "state")
    whole = ("trial", "rung", own, "its best")
    for at, title in enumerate(titles):
        longest = max(map(len, (title, *(row[at].plain for row in cells))))
        if title in whole:
            table.add_column(title, justify="left" if at == 0 else "right", no_wrap=True, min_width=longest)
        elif title == "steps/s":
            table.add_column(title, justify="right", no_wrap=True, min_width=7)
        else:  # these may shrink: their cells are cut, not wrapped
            table.add_column(title, min_width=min(longest, 8))
    for row in cells:
        table.add_row(*row)
    hidden = len(shown) - rows
    if hidden > 0:
        table.caption = f"and {hidden} more"
    return table


def _rank(record: TrialRecord) -> tuple[int, bool, float]:
    order = {RUNNING: 0, FAILED: 2, QUEUED: 3}.get(record.status, 1)
    if order == 0 or record.score is None:
        return order, order != 0, float(record.candidate.index)
    return order, False, record.score


def _cells(progress: Progress, record: TrialRecord) -> list[Text]:
    last, speed = record.last, record.steps_per_second
    state = record.status
    if record.failure:
        state = f"failed: {record.failure['class']}"
    # Text, not str: names come from proposers and must not be read as markup
    return [
        Text(record.id),
        Text(record.candidate.origin, no_wrap=True, overflow="ellipsis"),
        Text(sketch(record.candidate.config), no_wrap=True, overflow="ellipsis"),
        Text(f"{last['rung']}/{last['num_rungs']}" if last else "-"),
        _difference(progress.relative(record.curve[-1] if last else None)),
        _difference(progress.relative(record.score)),
        Text("-" if speed is None else f"{speed:.0f}" if speed >= 10 else f"{speed:.1f}"),
        Text(state, style=_STYLES[record.status], no_wrap=True, overflow="ellipsis"),
    ]


def _difference(value: float | None) -> Text:
    return Text(percent(value), style="" if value is None else "green" if value < 0 else "yellow")

"""What an operator sees while a miner runs: a live table on a terminal, plain lines anywhere else."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass

from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from synthcity.market.times import format_duration, format_time
from synthcity.serve.answering.tally import Status
from synthcity.serve.settlement.settler import Settled


@dataclass(frozen=True, kw_only=True)
class View:
    """One look at a miner.

    Attributes:
        title: champion and where it answers.
        assets: rows, in this order.
        ages: seconds since each asset's last price, infinite without any.
        notes: what is wrong or was decided, a sentence each.
    """

    title: str
    assets: tuple[str, ...]
    status: Status
    ages: Mapping[str, float]
    settled: Settled
    notes: tuple[str, ...]


class Board:
    """Shows views. Use as a context manager."""

    def __init__(self, console: Console | None = None, *, every_seconds: float = 60.0) -> None:
        """Args: on a terminal every view is drawn; elsewhere a few lines every ``every_seconds``."""
        self._console = console or Console()
        self._live = Live(console=self._console, auto_refresh=False) if self._console.is_terminal else None
        self._every, self._told_at = every_seconds, -math.inf
        self._notes: tuple[str, ...] = ()

    def __enter__(self) -> Board:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, view: View) -> None:
        """Draw or tell; notes that are new are told at once."""
        if self._live is not None:
            self._live.update(render(view), refresh=True)
        elif time.monotonic() - self._told_at >= self._every or set(view.notes) - set(self._notes):
            self._told_at, self._notes = time.monotonic(), view.notes
            for line in lines(view, time.time()):
                self._console.print(line, markup=False, highlight=False, soft_wrap=True)


def lines(view: View, now: float) -> list[str]:
    """The view in words: a line for all, one for each note."""
    status = view.status
    counts = (
        f"{_sum(status.answered)} answered, {_sum(status.refused)} refused, {_sum(status.fallbacks)} by the fallback"
    )
    stale = max(view.ages, key=lambda asset: view.ages[asset], default="")
    parts = [counts, f"oldest price {stale} {_age(view.ages[stale])}" if stale else "", _latency(status), _scores(view)]
    return [f"{format_time(int(now))}  {'; '.join(filter(None, parts))}", *(f"  {note}" for note in view.notes)]


def render(view: View) -> RenderableType:
    """The view as a table with a line above and the notes below."""
    status = view.status
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("asset", "answered", "refused", "fallback", "price", "last score"):
        table.add_column(name, justify="left" if name == "asset" else "right")
    rows = [*view.assets, *sorted((status.answered.keys() | status.refused.keys()) - {"", *view.assets})]
    for asset in rows:
        last = view.settled.last.get(asset)
        cells = [str(counts.get(asset, 0)) for counts in (status.answered, status.refused, status.fallbacks)]
        age = view.ages.get(asset, math.inf)
        style = "red" if age > 180 else ""
        table.add_row(asset, *cells, Text(_age(age), style), "" if last is None else f"{last:.1f}")
    if status.refused.get(""):
        table.add_row("before asked", "", str(status.refused[""]), "", "", "")
    below = "; ".join(filter(None, (_latency(status), _scores(view))))
    return Group(Text(view.title, "bold"), table, Text(below, "dim"), *(Text(note, "yellow") for note in view.notes))


def _sum(counts: Mapping[str, int]) -> int:
    return sum(counts.values())


def _age(seconds: float) -> str:
    return "none" if math.isinf(seconds) else format_duration(max(0, round(seconds)))


def _latency(status: Status) -> str:
    if status.latency is None:
        return ""
    median, worst = status.latency
    return f"latency {1000 * median:.0f} ms, at worst {1000 * worst:.0f} ms"


def _scores(view: View) -> str:
    found = view.settled
    averages = ", ".join(f"{one.competition} {one.average:.1f}" for one in found.standings)
    shadow = f"; {view.status.shadowed} in the shadow" if view.status.shadowed else ""
    return f"{found.num_settled} settled, {found.num_pending} pending{': ' if averages else ''}{averages}{shadow}"

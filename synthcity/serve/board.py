"""What an operator sees while a miner runs: a live table on a terminal, plain lines anywhere else."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping

from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from synthcity.market.times import format_duration, format_time
from synthcity.serve.answering.tally import Status
from synthcity.serve.operations.alarms import STALE_SECONDS, Severity
from synthcity.serve.operations.facts import Facts
from synthcity.serve.operations.view import View


class Board:
    """Shows views. Use as a context manager."""

    def __init__(self, console: Console | None = None, *, every_seconds: float = 60.0) -> None:
        """Args: on a terminal every view is drawn; elsewhere a few lines every ``every_seconds``."""
        self._console = console or Console()
        self._live = Live(console=self._console, auto_refresh=False) if self._console.is_terminal else None
        self._every, self._told_at = every_seconds, -math.inf
        self._told: frozenset[str] = frozenset()

    def __enter__(self) -> Board:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, view: View) -> None:
        """Draw or tell; alarms and decisions that are new are told at once."""
        if self._live is not None:
            self._live.update(render(view), refresh=True)
            return
        news = view.news
        if time.monotonic() - self._told_at >= self._every or news - self._told:
            self._told_at, self._told = time.monotonic(), news
            for line in lines(view):
                self._console.print(line, markup=False, highlight=False, soft_wrap=True)


def lines(view: View) -> list[str]:
    """The view in words: a line for all, one for each alarm and decision."""
    facts = view.facts
    status = facts.status
    counts = (
        f"{_sum(status.answered)} answered, {_sum(status.refused)} refused, {_sum(status.fallbacks)} by the fallback"
    )
    stale = max(facts.ages, key=lambda asset: facts.ages[asset], default="")
    oldest = f"oldest price {stale} {_age(facts.ages[stale])}" if stale else ""
    told = "; ".join(filter(None, (counts, oldest, _latency(status), _scores(facts))))
    alarms = [f"  {one.severity}: {one.text}" for one in view.alarms]
    return [f"{format_time(int(facts.now))}  {told}", *alarms, *(f"  {note}" for note in view.notes)]


def render(view: View) -> RenderableType:
    """The view as a table with a line above, alarms and decisions below."""
    facts = view.facts
    status = facts.status
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("asset", "answered", "refused", "fallback", "price", "last score"):
        table.add_column(name, justify="left" if name == "asset" else "right")
    answered, refused, fallbacks = status.answered, status.refused, status.fallbacks
    for asset in [*facts.assets, *sorted((answered.keys() | refused.keys()) - {"", *facts.assets})]:
        last = facts.settled.last.get(asset)
        cells = [str(counts.get(asset, 0)) for counts in (answered, refused, fallbacks)]
        age = facts.ages.get(asset, math.inf)
        style = "red" if age > STALE_SECONDS else ""
        table.add_row(asset, *cells, Text(_age(age), style), "" if last is None else f"{last:.1f}")
    if refused.get(""):
        table.add_row("before asked", "", str(refused[""]), "", "", "")
    below = "; ".join(filter(None, (_latency(status), _scores(facts))))
    alarms = [Text(one.text, "red" if one.severity is Severity.CRITICAL else "yellow") for one in view.alarms]
    return Group(Text(facts.title, "bold"), table, Text(below, "dim"), *alarms, *map(Text, view.notes))


def _sum(counts: Mapping[str, int]) -> int:
    return sum(counts.values())


def _age(seconds: float) -> str:
    return "none" if math.isinf(seconds) else format_duration(max(0, round(seconds)))


def _latency(status: Status) -> str:
    if status.latency is None:
        return ""
    median, worst = status.latency
    return f"latency {1000 * median:.0f} ms, at worst {1000 * worst:.0f} ms"


def _scores(facts: Facts) -> str:
    found = facts.settled
    averages = ", ".join(f"{one.competition} {one.average:.1f}" for one in found.standings)
    shadow = f"; {facts.status.shadowed} in the shadow" if facts.status.shadowed else ""
    return f"{found.num_settled} settled, {found.num_pending} pending{': ' if averages else ''}{averages}{shadow}"

"""What the commands that search or train share: a first line at once, the live view, and the last lines."""

from __future__ import annotations

import shlex
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from synthcity.errors import INTERRUPTED
from synthcity.extras import OF_DASHBOARD, need
from synthcity.wording import duration

if TYPE_CHECKING:
    from synthcity.search.config import BudgetConfig, SearchConfig
    from synthcity.search.report.model import Report

_PLAIN = click.option("--plain", is_flag=True, help="Print lines, not a live table, as where there is no terminal.")
_DASHBOARD = click.option("--dashboard", is_flag=True, help="Open Ray's dashboard, on this machine's loopback alone.")
_WIDEST = 120
_NAMED = 3  # of the networks that are trained first


def watched(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options on what is shown meanwhile."""
    return _PLAIN(_DASHBOARD(command))


def train(
    config: SearchConfig | Path,
    known: SearchConfig,
    *,
    plain: bool = False,
    dashboard: bool = False,
    resume: bool = False,
    settings: Iterable[str] = (),
    stem: str | None = None,
    show: Callable[[Report], None] = lambda report: None,
    again: str = "the same command with --resume goes on where it was",
) -> None:
    """Search, show how it goes, and print what came of it.

    Args:
        config: as ``search.run.search`` takes it.
        known: what it says, for the first line, which comes before torch and Ray are loaded.
        plain: print lines.
        dashboard: open Ray's.
        resume: continue.
        settings: over a sweep file.
        stem: what the run folder is called where the config has no name.
        show: prints what comes before the last lines.
        again: what is said to who stops it.

    Raises:
        ConfigError: the dashboard is not installed.
    """
    if dashboard:
        need("--dashboard", "cluster", *OF_DASHBOARD)
    for line in opening(known, resume=resume).splitlines():
        click.echo("\n".join(textwrap.wrap(line, width, break_on_hyphens=False)) if (width := _width()) else line)

    from synthcity.search.run import search
    from synthcity.search.screen.display import open_display
    from synthcity.search.screen.summary import summary

    line = shlex.join(["synthcity", *sys.argv[1:]])
    try:
        with open_display(plain=plain) as display:
            result = search(
                config,
                settings=settings,
                resume=resume,
                display=display,
                dashboard=dashboard,
                command=line,
                stem=stem,
            )
    except KeyboardInterrupt:
        click.echo(f"stopped; {again}", err=True)
        sys.exit(INTERRUPTED)
    show(result.report)
    click.echo(summary(result, _width()))


def _width() -> int | None:
    """Columns of the terminal that sentences may have, None where there is none."""
    return min(shutil.get_terminal_size().columns, _WIDEST) if sys.stdout.isatty() else None


def opening(config: SearchConfig, *, resume: bool = False) -> str:
    """Say what is about to be done, as in "crypto-24h on BTC, ETH: up to 16 trials of 200 steps within 4:00".

    A second line names the networks that go first, unless the run goes on and may have trained them.

    Raises:
        ConfigError: one of them is no preset.
    """
    search, data = config.search, config.data
    assets = ", ".join(data.assets) if data.assets else "all its assets"
    market = " of a SIMULATED market" if data.source == "simulated" else ""
    few = len(search.candidates or ())
    what = f"up to {search.trials} trials" if search.arms else f"{few} network{'' if few == 1 else 's'}"
    within = "" if search.time_budget is None else f" within {duration(search.time_budget)}"
    goes_on = "going on: " if resume else ""
    return (
        f"{goes_on}{config.competition} on {assets}{market}: {what} of {search.max_steps} steps{within}, "
        "then the finals; loading torch and Ray" + ("" if resume else _first(search))
    )


def _first(search: BudgetConfig) -> str:
    """Name those that were written by hand; what a language model writes for the run comes before them."""
    from synthcity.search.candidates.presets import introduced

    names = introduced(search.candidates)
    if not names:
        return ""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    before = "after what the model writes" if search.author else "first"
    label = f"{before}, written by hand" if search.arms else f"network{'' if len(names) == 1 else 's'}"
    return f"\n{label}: {', '.join(names[:_NAMED])}{more}"

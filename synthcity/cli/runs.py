"""``synthcity runs``: look into runs of this machine, compare them, and go on with them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from synthcity.cli.group import Group
from synthcity.cli.options import Duration, LocalPath
from synthcity.cli.table import print_table
from synthcity.cli.training import train, watched
from synthcity.errors import ConfigError

_TROUBLES = 3  # the newest
_RUNS = click.option("--runs", "folder", type=LocalPath(path_type=Path), default="runs", help="Where runs lie.")


def locate(run: str, folder: Path) -> Path:
    """Return the folder of a run: a path, its name below ``folder``, or ``latest``.

    Raises:
        RunError: there is none.
    """
    from synthcity.history.local import list_local
    from synthcity.history.sources import LATEST, find

    if run != LATEST and Path(run).name != run:
        return Path(run).expanduser()
    for path in (folder / run, Path(run)):
        if run != LATEST and path.is_dir():
            return path
    return folder / find(list_local(folder), run).id


@click.group("runs", cls=Group)
def command() -> None:
    """Look into runs of this machine, compare them, and go on with them.

    RUN is a folder, its name below runs/, or `latest`; `synthcity history` lists them.

    \b
    Examples:
      synthcity runs show latest
      synthcity runs report sweep
      synthcity runs extend sweep --trials 80
    """


@command.command("show")
@click.argument("run")
@_RUNS
def show(run: str, folder: Path) -> None:
    """Say how far a run is, and what it has found.

    \b
    Example:
      synthcity runs show latest
    """
    from synthcity.history.local import row_of_run
    from synthcity.history.row import printable
    from synthcity.history.telling import COLUMNS, RIGHT, cells
    from synthcity.search.journal.folder import read_run
    from synthcity.search.journal.history import TrialHistory
    from synthcity.search.journal.progress import Progress
    from synthcity.wording import duration, percent

    path = locate(run, folder)
    history = TrialHistory.replay(read_run(path)[1])
    progress = Progress(history)
    print_table(COLUMNS, [cells(row_of_run(path))], RIGHT)
    told, best, baseline = history.run, progress.best_trial, progress.best_baseline
    states = Counter(record.status for record in history.records)
    again = len(history.records) - len(history.first_trainings)
    counts = ", ".join(f"{count} {state}" for state, count in sorted(states.items())) or "none yet"
    of = f" of {told['trials']}" if told is not None and "trials" in told else ""
    click.echo(f"\ntrials      {len(history.records)}{of}: {counts}; {len(history.rejections)} refused")
    if again:
        click.echo(f"            {again} of them train a leader again, on a fresh seed")
    if best is not None and baseline is not None:
        lead = percent(progress.relative(best.score))
        click.echo(
            printable(f"best trial  {best.id} ({best.candidate.origin}), {lead} against {baseline[0]} on validation")
        )
    sessions = len(history.sessions)
    click.echo(f"time        {duration(history.used_seconds)} in {sessions} session{'' if sessions == 1 else 's'}")
    usd, hours = history.cost.usd + history.usd, history.cost.gpu_hours
    if usd or hours:
        now = f", {history.cost.usd_per_hour:.2f} USD an hour now" if history.cost.usd_per_hour else ""
        trials = sum(record.usd for record in history.records)
        by = f", {trials:.2f} USD of it while trials trained" if history.cost.is_ledger else ""
        click.echo(f"cost        {usd:.2f} USD and {hours:.1f} GPU hours so far{by}{now}")
    click.echo(f"test        looked at {history.looks} times" if history.looks != 1 else "test        looked at once")
    if not history.finals.finished:
        click.echo(printable(f"goes on     {history.stage or 'was left at its start'}"))
    for event in history.troubles[-_TROUBLES:]:
        what = str(event.get("note") or event.get("reason") or event.get("error") or event["kind"])
        if event["kind"] == "run_interrupted" and "exit_code" in event:
            what += f" (exit code {event['exit_code']})"
        click.echo(f"trouble     {printable(what)}")


@command.command("compare")
@click.argument("first")
@click.argument("second")
@_RUNS
def compare(first: str, second: str, folder: Path) -> None:
    """Put two finished runs side by side: results, what their configs differ in, and the paired lead.

    The paired lead is that of the second run's best candidate over the first one's, on the test prompts that both saw.

    \b
    Example:
      synthcity runs compare sweep sweep-2
    """
    from synthcity.history.local import row_of_run
    from synthcity.history.row import printable
    from synthcity.history.telling import COLUMNS, RIGHT, cells
    from synthcity.search.comparison import compare as compared

    paths = [locate(run, folder) for run in (first, second)]
    found = compared(*paths)
    print_table(COLUMNS, [cells(row_of_run(path)) for path in paths], RIGHT)
    if found.differences:
        click.echo()
        rows = [[key, *(printable(str(value)) for value in pair)] for key, pair in found.differences.items()]
        print_table(["config", "first", "second"], rows)
    click.echo(f"\n{found.sentence}")


@command.command("extend")
@click.argument("run")
@click.option("--trials", type=click.IntRange(1, 100_000), help="How many trials it shall have in all.")
@click.option("--time", "seconds", type=Duration(1.0), help="How long it may take in all, where it has a time budget.")
@_RUNS
@watched
def extend(run: str, trials: int | None, seconds: float | None, folder: Path, plain: bool, dashboard: bool) -> None:
    """Go on with a run until it has more trials or time; everything that it earned stays.

    Its finals are held again, and the test period is looked at once more, which the verdict says.

    \b
    Examples:
      synthcity runs extend sweep --trials 80
      synthcity runs extend latest --time 4h
    """
    from synthcity.documents import write_setting
    from synthcity.durations import write_duration
    from synthcity.search.journal.folder import resumed_config

    path = locate(run, folder).absolute()
    if trials is None and seconds is None:
        raise click.UsageError("say by --trials or --time what the run shall have in all")
    settings = [write_setting("name", path.name), write_setting("output", str(path.parent))]
    settings += [] if trials is None else [f"search.trials={trials}"]
    settings += [] if seconds is None else [f"search.time_budget={write_duration(seconds)}"]
    before, after = resumed_config(path, []).search, resumed_config(path, settings)
    if seconds is not None and before.time_budget is None:
        raise ConfigError(f"--time is for runs with a time budget; the run in {str(path)!r} may take any time")
    had, budget = before.trials, before.time_budget or 0.0
    if after.search.trials < had or (trials == had and (seconds is None or seconds == budget)):
        raise ConfigError(f"--trials {trials} adds none: the run in {str(path)!r} has {had} already")
    if seconds is not None and (seconds < budget or (trials is None and seconds == budget)):
        asked, known = write_duration(seconds), write_duration(budget)
        raise ConfigError(f"--time {asked} adds none: the run in {str(path)!r} has {known} already")

    train(after, after, plain=plain, dashboard=dashboard, resume=True, again="the same command goes on where it was")


@command.command("report")
@click.argument("run")
@_RUNS
def report(run: str, folder: Path) -> None:
    """Draw the page of a run again, and print where it lies.

    It is drawn from report.json; where that is missing or damaged, from the journal and the scores of the look, which
    standard error and the page say. The page of a run that is not over tells how far it is.

    \b
    Example:
      synthcity runs report sweep
    """
    from synthcity.search.report.retelling import draw_again

    page, why = draw_again(locate(run, folder))
    if why:
        click.echo(why, err=True)
    click.echo(page)


@command.command("track")
@click.argument("run")
@click.option("--to", "names", required=True, metavar="NAMES", help="wandb, trackio or both (wandb,trackio).")
@_RUNS
def track(run: str, names: str, folder: Path) -> None:
    """Tell a run to trackers from its first event to its result; what one has whole is not told it again.

    \b
    Example:
      synthcity runs track sweep --to wandb,trackio
    """
    from synthcity.search.tracking.replay import replay

    for told in replay(locate(run, folder), names.split(",")):
        for note in told.notes:
            click.echo(note, err=True)
        click.echo(f"{told.tracker}  {told.where}" + ("" if told.is_new else "  (told before)"))

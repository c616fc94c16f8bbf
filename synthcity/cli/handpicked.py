"""What the commands that train hand-picked networks share: options, the run, and the last lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from synthcity.cli.options import LocalPath
from synthcity.cli.table import print_table
from synthcity.cli.training import train, watched
from synthcity.schema import MAX_SEED

if TYPE_CHECKING:
    from synthcity.search.candidates.candidate import Config
    from synthcity.search.report.model import Report, TrialRow

CONFIG = click.argument("config", type=LocalPath(path_type=Path), required=False)
STEPS = click.option("--steps", type=click.IntRange(1, 10_000_000), help="Of a training; by default those of CONFIG.")
SEED = click.option(
    "--seed", type=click.IntRange(0, MAX_SEED), help="Of weights, batches and paths; 0 unless a sweep file has another."
)


def _no_epochs(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
    if value is not None:
        raise click.BadParameter("a training is counted in steps, on windows drawn anew: say --steps 500", ctx, param)


EPOCHS = click.option("--epochs", hidden=True, expose_value=False, callback=_no_epochs)
BLOCKS = click.option("--blocks", default="", metavar="A,B,...", help="Blocks, first to last; none by default.")
SETTINGS = click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Set any key, see above.")
NAME = click.option("--name", help="Name of the run folder; by default that of the command, numbered.")
RESUME = click.option("--resume", is_flag=True, help="Continue a run that was stopped or killed.")


def run_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add what ``experiment`` and ``sweep`` have in common."""
    for option in (RESUME, NAME, SETTINGS, SEED, EPOCHS, STEPS, CONFIG):
        command = option(command)
    return watched(command)


def run(
    file: Path | None,
    candidates: Sequence[str | Config],
    settings: Sequence[str],
    *,
    stem: str,
    is_named: bool = True,
    steps: int | None = None,
    seed: int | None = None,
    name: str | None = None,
    resume: bool = False,
    plain: bool = False,
    dashboard: bool = False,
) -> None:
    """Train ``candidates``, take the best through the final and print what came of them.

    Where they are not ``is_named`` by the command line, a run that is resumed goes on with its own.
    """
    from synthcity.documents import write_setting
    from synthcity.search.handpicked import handpicked_config

    given: dict[str, object] = {"search.max_steps": steps, "search.seed": seed, "name": name}
    settings = [*settings, *(write_setting(key, value) for key, value in given.items() if value is not None)]
    config = handpicked_config(file, candidates, settings)  # before torch and Ray are loaded
    if resume and file is None and not is_named:
        from synthcity.search.journal.folder import resumed_config, run_folder

        config = resumed_config(run_folder(config, stem, resume=True), settings)

    train(config, config, plain=plain, dashboard=dashboard, resume=resume, stem=stem, show=_print_trials)


def _print_trials(report: Report) -> None:
    """Print one row a network, best first, then why others were not trained."""
    from synthcity.wording import SIGN, percent

    baseline = min(report["validation_baselines"], key=lambda name: report["validation_baselines"][name])
    rows = [
        [
            trial["id"],
            _named(trial),
            _figure(trial["parameters"], ","),
            f"{trial['seconds']:.0f}",
            _figure(trial["score"], ".1f"),
            percent(trial["relative"]),
            trial["state"],
        ]
        for trial in sorted(report["trials"], key=lambda trial: (trial["score"] is None, trial["score"], trial["id"]))
    ]
    numbers = ["parameters", "seconds", "score", f"over {baseline}"]
    click.echo("\nScores on validation in basis points, lower is better;")
    click.echo(f"leads over {baseline} in percent, {SIGN}.\n")
    print_table(["trial", "network", *numbers, "state"], rows, right=numbers)
    for failure in report["failures"]:
        click.echo(f"failed: {', '.join(failure['trials'])}: {failure['message']}")
    for group in report["rejections"]:
        for example in group["examples"]:
            click.echo(f"not trained: {example['config']}: {example['reason']}")


def _named(trial: TrialRow) -> str:
    """A preset by its name and what it is; a network of one's own is its own name."""
    name = trial["rationale"].removeprefix("hand-written: ")
    return trial["architecture"] if ">" in name else f"{name} {trial['architecture']}"


def _figure(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def names(text: str) -> list[str]:
    """Split names at commas; blanks and empty ones go."""
    return [name.strip() for name in text.split(",") if name.strip()]

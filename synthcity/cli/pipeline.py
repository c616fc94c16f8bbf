"""``synthcity pipeline``: data, plan, search, check, publish, challenge, and again, by itself."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from synthcity.cli.group import Group
from synthcity.cli.options import Duration, Finite, LocalPath
from synthcity.durations import DAY

_YEARS = 3660 * DAY


class _OneCommand(Group):
    """A group that runs its pipeline file where no other command is named."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return self.commands.get(cmd_name, self.commands["run"])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] in self.commands:
            return super().resolve_command(ctx, args)
        return "run", self.commands["run"], args

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        named = bool(args) and (args[0] in self.commands or args[0] in ("-h", "--help"))
        return super().parse_args(ctx, args if named else ["run", *args])


@click.group(cls=_OneCommand)
def command() -> None:
    """Search again and again, and let what is proven be published and challenge the miner: `synthcity pipeline FILE`.

    A round brings prices up to date, plans, searches, lets the publisher's gate and the level of its look decide,
    publishes, and offers a challenger to a running miner, whose settled scores alone promote. Nothing else is needed
    than the file; made-up prices make it a rehearsal, with stand-ins for the Hub and the miner.

    \b
    Examples:
      synthcity pipeline configs/quickstart-pipeline.yaml --rounds 2
      synthcity pipeline configs/pipeline.yaml --publish --deploy state --forever
      synthcity pipeline configs/pipeline.yaml --forever --resume
      synthcity pipeline status pipelines/pipeline --json
    """


@command.command("run")
@click.argument("config", type=LocalPath(path_type=Path), default=Path("configs/pipeline.yaml"))
@click.option("--publish", is_flag=True, default=None, help="Send what is proven to HF_REPO_ID, with HF_TOKEN.")
@click.option("--deploy", type=LocalPath(), metavar="STATE", help="Folder of the miner that gets a challenger.")
@click.option("--retries", type=click.IntRange(1, 100), help="Further plans of a round that comes to nothing.")
@click.option("--temperature", type=Finite(0.0, 1.0), help="Of the first plan; later ones are warmer by 0.1.")
@click.option("--rounds", type=click.IntRange(1, 1_000_000), help="How many in all, those before included.")
@click.option("--forever", is_flag=True, help="Go on until something stops it.")
@click.option("--every", type=Duration(0, 366 * DAY), help="From one beginning of a round to the next, at least.")
@click.option("--budget-usd", type=Finite(0.0, 1e6), metavar="USD", help="For language models, of all rounds.")
@click.option("--budget-time", type=Duration(1, _YEARS), help="For searching, of all rounds.")
@click.option("--resume", is_flag=True, help="Go on with what is in the folder, if anything is.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Set any key of the pipeline file.")
def run(
    config: Path, settings: tuple[str, ...], forever: bool, resume: bool, rounds: int | None, **options: object
) -> None:
    """Run the pipeline that the file CONFIG describes.

    \b
    Example:
      synthcity pipeline run configs/quickstart-pipeline.yaml --rounds 2
    """
    from synthcity.cluster.job import check_folder, on_cluster, settle
    from synthcity.errors import ConfigError
    from synthcity.pipeline.config import load_pipeline

    if forever and rounds is not None:
        raise ConfigError(f"--forever has no number of rounds; leave out --rounds {rounds} or --forever")
    opening = load_pipeline(settle(config), settings, forever=forever, rounds=rounds, **options)
    check_folder(opening.folder)

    try:
        with on_cluster(opening.config.cluster):
            from synthcity.pipeline.run import run_pipeline

            run_pipeline(opening, resume=resume, tell=click.echo)
    except KeyboardInterrupt:
        click.echo("stopped; the same command with --resume goes on where it was", err=True)
        sys.exit(130)


@command.command()
@click.argument("folder", type=LocalPath(path_type=Path), default=Path("pipelines/pipeline"))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--rank", is_flag=True, help="Work out the miner's rank among all, from the network's public scores.")
@click.option("--uid", type=click.IntRange(0, 65535), help="With --rank: our own, left out of the others.")
def status(folder: Path, as_json: bool, rank: bool, uid: int | None) -> None:
    """Tell how the pipeline in FOLDER stands: what it does, who answers since when, what that cost and earned.

    Settled scores and the race are read from the miner's files. --rank fetches some tens of megabytes and keeps what it
    finds beside the ledger, where later calls and the bridge's page read it.

    \b
    Examples:
      synthcity pipeline status pipelines/pipeline
      synthcity pipeline status pipelines/pipeline --rank --uid 42
    """
    from synthcity.errors import ConfigError
    from synthcity.pipeline.status import lines, place_of, read_status

    if uid is not None and not rank:
        raise ConfigError(f"--uid {uid} is for --rank; add it")
    found = read_status(folder)
    if rank:
        if found.world:
            raise ConfigError(f"{folder} is a {found.world}: nobody else answers there, so there is no rank")
        import time

        from synthcity.market.sources.synthapi import SynthApi
        from synthcity.serve.challengers.tenure import work_out_places

        with SynthApi() as api:
            work_out_places(place_of(folder), api, time.time(), uid)
        found = read_status(folder)
    click.echo(json.dumps(found.to_dict(), indent=1) if as_json else "\n".join(lines(found)))

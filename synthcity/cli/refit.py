"""``synthcity refit``: a frozen winner, trained again on the newest prices."""

from __future__ import annotations

from pathlib import Path

import click

from synthcity.cli.options import LocalPath, Output
from synthcity.errors import ConfigError


def _until(ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:
    if value is None or value == "now":
        return None
    from synthcity.market.times import parse_time

    return parse_time(value)


@click.command()
@click.argument("bundle", type=LocalPath(exists=True, file_okay=False, path_type=Path))
@click.option("--data", required=True, type=LocalPath(path_type=str), help="The price store.")
@click.option("--until", callback=_until, metavar="TIME|now", help="End of the prices to learn from. [default: all]")
@click.option("--to", "folder", type=Output(is_folder=True), help="The new bundle. [default: BUNDLE-refit beside it]")
@click.option("--replace", is_flag=True, help="Take the place of a bundle that is there, in one step.")
@click.option("--workers", type=click.IntRange(1), help="Networks at a time. [default: one every CPU]")
@click.option("--trust-code", is_flag=True, help="Run what a language model wrote, where the bundle holds such code.")
def command(
    bundle: Path,
    data: str,
    until: int | None,
    folder: Path | None,
    replace: bool,
    workers: int | None,
    trust_code: bool,
) -> None:
    """Train the networks of BUNDLE again on all prices in the store, and write them to a bundle of their own.

    Networks, steps, seeds and weights stay as the search chose them; only the prices grow. Nothing is judged, so the
    verdict of BUNDLE does not speak of the new one, and its manifest says so. A refit that is killed goes on where it
    was when the command is repeated.

    \b
    Examples:
      synthcity refit runs/sweep/winner --data prices
      synthcity refit runs/sweep/winner --data prices --until 2025-12-01 \\
          --to bundles/december
    """
    from synthcity.forecast.bundles.verified import MANIFEST
    from synthcity.search.renewal import renew

    bundle = bundle.absolute()
    folder = bundle.with_name(f"{bundle.name}-refit") if folder is None else folder.absolute()
    if folder == bundle:
        raise ConfigError(
            f"--to {folder} is the bundle itself; choose another folder, so that the verdict keeps its own"
        )
    if (folder / MANIFEST).exists() and not replace:
        raise ConfigError(f"{folder} is a bundle already, maybe one that is being served; replace it by --replace")
    facts = renew(bundle, data, folder, until=until, trust_code=trust_code, workers=workers, tell=click.echo)
    click.echo(f"written to {folder}: {facts}")

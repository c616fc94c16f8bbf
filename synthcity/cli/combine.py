"""``synthcity combine``: one bundle out of several, each for its own prompts."""

from __future__ import annotations

from pathlib import Path

import click

from synthcity.cli.options import Output

_TRUST = "Run what a language model wrote, where a bundle holds such code."


@click.command()
@click.argument("folder", type=Output(is_folder=True))
@click.argument("parts", nargs=-1, required=True, metavar="COMPETITION[:A,B,...]=BUNDLE|BASELINE...")
@click.option("--replace", is_flag=True, help="Take the place of a bundle that is there, in one step.")
@click.option("--trust-code", is_flag=True, help=_TRUST)
def command(folder: Path, parts: tuple[str, ...], replace: bool, trust_code: bool) -> None:
    """Write to FOLDER a bundle in which each prompt goes to the forecaster that was made for it.

    A search finds the best forecaster of one competition; a miner is asked for all of them. The first part that covers
    a prompt answers it, so exceptions come before what they except.

    \b
    Examples:
      synthcity combine bundles/all crypto-24h=runs/sweep/winner \\
          crypto-1h=runs/sweep-1h/winner com-equ-24h=fhs
      synthcity combine bundles/btc crypto-24h:BTC=runs/btc/winner \\
          crypto-24h=runs/sweep/winner
    """
    from synthcity.forecast.bundles.combine import combine
    from synthcity.forecast.bundles.suitability import doubts

    for part in combine(folder, parts, trust_code=trust_code, replace=replace):
        click.echo(f"{part.way:<24}{part.forecaster.name}")
        for doubt in doubts(part.name):
            click.echo(f"warning: {doubt}", err=True)
    click.echo(f"written to {folder}; serve it by `synthcity serve {folder} --data STORE`")

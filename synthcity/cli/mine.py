"""``synthcity mine``: answering validators, and what the answers were worth."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from synthcity.cli.table import print_table

if TYPE_CHECKING:
    from synthcity.serve.settle import Settlement
    from synthcity.serve.standing import Standing


@click.group()
def command() -> None:
    """Answer the validators of Subnet 50, and settle what the answers were worth.

    \b
    Example:
      synthcity mine score mining/ledger --store prices
    """


@command.command()
@click.argument("ledger", type=click.Path(path_type=Path))
@click.option("--store", type=click.Path(path_type=Path), required=True, metavar="FOLDER", help="Folder of the store.")
@click.option("--venue", help="Venue of the minute bars.  [default: the one that the network settles by]")
@click.option("--rules", "date", metavar="DATE", help="Date of the rules.  [default: the newest]")
@click.option("--keep-paths", is_flag=True, help="Keep the paths of settled answers.")
def score(ledger: Path, store: Path, venue: str | None, date: str | None, keep_paths: bool) -> None:
    """Settle all answers in LEDGER that are due, by the network's own rules, and show the rolling averages.

    An answer is due 90 seconds after its prompt's end, once the store holds a later minute; it is scored once. Prices
    come from the store: a running miner fills it, `synthcity data download` fills what it missed. Repeat at will.

    \b
    Example:
      synthcity mine score mining/ledger --store prices
    """
    from synthcity.errors import ConfigError
    from synthcity.market.store import Store
    from synthcity.serve.ledger import ANSWERS
    from synthcity.serve.settle import read_scores, settle
    from synthcity.serve.standing import standings
    from synthcity.sn50.competitions import get_rules

    if not (ledger / ANSWERS).is_file():
        raise ConfigError(f"{ledger} holds no {ANSWERS}; name the folder of a miner's ledger")
    try:
        rules = get_rules(date)
    except ValueError as error:
        raise ConfigError(str(error)) from error
    now = time.time()
    _tell(settle(ledger, Store(store), now, rules=rules, venue=venue, keep_paths=keep_paths))
    _show(standings(read_scores(ledger), now, rules))


def _tell(done: Settlement) -> None:
    for problem in done.problems:
        click.echo(f"warning: {problem}", err=True)
    click.echo(f"{done.num_settled} settled, {done.num_pending} pending, {done.num_given_up} given up")


def _show(found: list[Standing]) -> None:
    if not found:
        click.echo("no settled answer in any competition's window yet")
        return
    rows = [
        (
            one.competition,
            f"{one.average:.1f}",
            str(one.num_buckets),
            str(one.num_answers),
            str(one.num_invalid),
            "  ".join(f"{asset} {mean:.1f}" for asset, mean in one.by_asset.items()),
        )
        for one in found
    ]
    names = ("competition", "average", "scored", "answers", "invalid", "by asset")
    print_table(names, rows, right=("average", "scored", "answers", "invalid"))

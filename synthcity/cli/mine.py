"""``synthcity mine``: answering validators, and what the answers were worth."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from synthcity.cli import mining
from synthcity.cli.group import Group
from synthcity.cli.options import Duration, LocalPath, Output
from synthcity.cli.table import print_table
from synthcity.durations import DAY

if TYPE_CHECKING:
    from synthcity.serve.answering.live_prices import LivePrices
    from synthcity.serve.settlement.settle import Settlement
    from synthcity.serve.settlement.standing import Standing
    from synthcity.sn50.competitions import Rules

_NOTHING = "no settled answer in any competition's window yet"


@click.group(cls=Group)
def command() -> None:
    """Answer the validators of Subnet 50, and settle what the answers were worth.

    \b
    Examples:
      synthcity mine run runs/sweep/winner --data data/store \\
          --publish 203.0.113.7:8091
      synthcity mine rehearse
      synthcity mine status state
      synthcity mine feed --store prices
      synthcity mine score mining/ledger --store prices
      synthcity mine rank mining/ledger --uid 42
      synthcity mine judge mining/ledger CHAMPION CHALLENGER \\
          --competition crypto-24h
    """


for one in (mining.run, mining.check, mining.firewall, mining.rehearse, mining.promote):
    command.add_command(one)


@command.command()
@click.option(
    "--store",
    type=Output(is_folder=True, path_type=str),
    required=True,
    metavar="FOLDER",
    help="Folder of the store.",
)
@click.option("--assets", metavar="A,B,...", help="Assets.  [default: all that the network asks for]")
@click.option("--every", type=Duration(0.1, DAY), default="60s", show_default=True, help="Time between reports.")
def feed(store: str, assets: str | None, every: float) -> None:
    """Keep a store warm with live prices until stopped (Ctrl-C or SIGTERM).

    Follows Binance and Hyperliquid minute by minute, fills the past behind the newest, and goes on through outages,
    limits and a full disk; two lines a minute say how old the oldest price is, since when all is recorded, and what is
    wrong. Hyperliquid forgets after 5,000 minutes: let it run from the first day; whatever was stored stays, and a
    restart asks for what it missed.

    \b
    Example:
      synthcity mine feed --store prices
    """
    import signal
    import threading

    from synthcity.market.store import open_store
    from synthcity.serve.answering.live_prices import LivePrices, LivePricesConfig
    from synthcity.sn50.competitions import get_rules

    names = [asset for competition in get_rules().competitions.values() for asset in competition.assets]
    if assets is not None:
        names = [name.strip() for name in assets.split(",") if name.strip()]
    config = LivePricesConfig(assets=tuple(dict.fromkeys(names)))
    stopping = threading.Event()
    before = {number: signal.signal(number, lambda *_: stopping.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with LivePrices(open_store(store), config) as running:
            while not stopping.wait(every):
                _report(running, config.assets)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _report(running: LivePrices, assets: Sequence[str]) -> None:
    from synthcity.errors import Fatal
    from synthcity.market.times import format_duration, format_time
    from synthcity.serve.operations.recording import describe, recorded

    if not running.is_alive:
        raise Fatal("the feed has stopped following a venue; see the log and start it again")
    now, health = time.time(), running.health()
    ages = {asset: running.age(asset, now) for asset in assets}
    oldest = max(ages, key=lambda asset: ages[asset])
    age = "no price yet" if ages[oldest] == float("inf") else f"{format_duration(round(ages[oldest]))} old"
    problems = sorted({one.problem for one in health if one.problem})
    click.echo(f"{format_time(int(now))}  {len(assets)} assets, the oldest price is {oldest}'s: {age}")
    click.echo(f"  {describe(recorded(health))}")
    for problem in problems:
        click.echo(f"  {problem}")


@command.command()
@click.argument("state", type=LocalPath(path_type=Path), default="state")
@click.option("--json", "as_json", is_flag=True, help="All of it, as one JSON object.")
@click.pass_context
def status(ctx: click.Context, state: Path, as_json: bool) -> None:
    """Tell how the miner with the folder STATE stands; for scripts and supervisors.

    The exit code says it in a number, as Nagios has them: 0 fine, 1 warning, 2 critical, 3 no miner runs there.

    \b
    Examples:
      synthcity mine status state
      synthcity mine status state --json
    """
    from synthcity.serve.operations.recording import describe
    from synthcity.serve.operations.report import EXIT_CODES, read_report

    report = read_report(state)
    if as_json:
        click.echo(report.to_json())
    else:
        answered, refused = sum(report.answered.values()), sum(report.refused.values())
        click.echo(f"{report.verdict}  {report.title}  {answered} answered, {refused} refused")
        for alarm in report.alarms:
            click.echo(f"  {alarm.severity}: {alarm.text}")
        for note in report.notes:
            click.echo(f"  {note}")
        if report.recorded:
            click.echo(f"  prices: {describe(report.recorded)}")
    ctx.exit(EXIT_CODES[report.verdict])


@command.command()
@click.argument("ledger", type=LocalPath(path_type=Path))
@click.option(
    "--store",
    type=LocalPath(path_type=Path, file_okay=False),
    required=True,
    metavar="FOLDER",
    help="Folder of the store.",
)
@click.option("--venue", help="Venue of the minute bars.  [default: the one that the network settles by]")
@click.option("--rules", "date", metavar="DATE", help="Date of the rules.  [default: the newest]")
@click.option("--keep-paths", is_flag=True, help="Keep the paths of settled answers.")
def score(ledger: Path, store: str, venue: str | None, date: str | None, keep_paths: bool) -> None:
    """Settle all answers in LEDGER that are due, by the network's own rules, and show the rolling averages.

    An answer is due 90 seconds after its prompt's end, once the store holds a later minute; it is scored once. Prices
    come from the store: a running miner fills it, `synthcity data download` fills what it missed. Warns of forecasts
    that no longer fit the market. Repeat at will.

    \b
    Example:
      synthcity mine score mining/ledger --store prices
    """
    from synthcity.market.store import open_store
    from synthcity.serve.settlement.drift import calibrations
    from synthcity.serve.settlement.settle import Book, settle
    from synthcity.serve.settlement.standing import standings

    rules, now, book = _checked(ledger, date), time.time(), Book(ledger)
    _tell(settle(ledger, open_store(store), now, rules=rules, venue=venue, keep_paths=keep_paths, book=book))
    scores = book.scores
    _show(standings(scores, now, rules))
    for calibration in calibrations(scores, now):
        for alarm in calibration.alarms:
            click.echo(f"warning: {alarm}", err=True)


@command.command()
@click.argument("ledger", type=LocalPath(path_type=Path))
@click.option("--uid", type=click.IntRange(0, 65535), help="Our own, left out of the others.")
@click.option("--rules", "date", metavar="DATE", help="Date of the rules.  [default: the newest]")
def rank(ledger: Path, uid: int | None, date: str | None) -> None:
    """Rank the settled answers in LEDGER among the public scores of all miners.

    The rolling average is the network's, over the prompts of the window that we have a score for. Fetches some tens of
    megabytes at two requests a second; SYNTHCITY_SYNTH_API_URL chooses another endpoint.

    \b
    Example:
      synthcity mine rank mining/ledger --uid 42
    """
    from synthcity.market.sources.synthapi import SynthApi
    from synthcity.serve.settlement.rank import Unranked, ranks
    from synthcity.serve.settlement.settle import read_scores

    rules, rows = _checked(ledger, date), []
    with SynthApi() as api:
        for found in ranks(read_scores(ledger), api, time.time(), rules=rules, own_miner=uid):
            if isinstance(found, Unranked):
                click.echo(f"warning: {found.reason}", err=True)
                continue
            averages = (f"{found.average:.1f}", f"{found.best:.1f}", f"{found.median:.1f}")
            counts = (str(found.num_prompts), str(found.num_unmatched))
            place = f"{found.rank} of {found.num_miners}"
            rows.append((found.competition, place, *averages, f"{100 * found.share:.2f}%", *counts))
    names = ("competition", "rank", "average", "best", "median", "share", "prompts", "unmatched")
    if rows:
        print_table(names, rows, right=names[1:])
    else:
        click.echo(_NOTHING)


@command.command()
@click.argument("ledger", type=LocalPath(path_type=Path))
@click.argument("champion")
@click.argument("challenger")
@click.option("--competition", required=True, help="Whose scores decide, e.g. crypto-24h.")
@click.option("--rules", "date", metavar="DATE", help="Date of the rules.  [default: the newest]")
def judge(ledger: Path, champion: str, challenger: str, competition: str, date: str | None) -> None:
    """Say whether CHALLENGER, that answered in the shadow of CHAMPION, should take its place: hashes of bundles.

    The settled scores in LEDGER of the prompts that both answered decide, at a few set numbers of days, so that looking
    every day changes nothing. A verdict that ends the race is written to the ledger.

    \b
    Example:
      synthcity mine judge mining/ledger CHAMPION CHALLENGER \\
          --competition crypto-24h
    """
    from synthcity.errors import ConfigError
    from synthcity.serve.settlement.challenge import judge as decide
    from synthcity.sn50.competitions import get_competition

    rules = _checked(ledger, date)
    try:
        chosen = get_competition(competition, rules)
    except ValueError as error:
        raise ConfigError(str(error)) from error
    verdict = decide(ledger, champion, challenger, chosen, time.time(), rules=rules)
    click.echo(f"{verdict.decision}: {verdict.reason} ({verdict.num_prompts} prompts)")


def _checked(ledger: Path, date: str | None) -> Rules:
    from synthcity.errors import ConfigError
    from synthcity.serve.answering.answer_ledger import ANSWERS
    from synthcity.sn50.competitions import get_rules

    if not (ledger / ANSWERS).is_file():
        raise ConfigError(f"{ledger} holds no {ANSWERS}; name the folder of a miner's ledger")
    try:
        return get_rules(date)
    except ValueError as error:
        raise ConfigError(str(error)) from error


def _tell(done: Settlement) -> None:
    for problem in done.problems:
        click.echo(f"warning: {problem}", err=True)
    click.echo(f"{done.num_settled} settled, {done.num_pending} pending, {done.num_given_up} given up")


def _show(found: list[Standing]) -> None:
    if not found:
        click.echo(_NOTHING)
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

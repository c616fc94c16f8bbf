"""``synthcity backtest``: forecasters side by side on past prices."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from synthcity.cli.options import Duration, LocalPath, Output
from synthcity.cli.table import print_table
from synthcity.errors import ConfigError, RunError
from synthcity.files import atomic_write
from synthcity.forecast.baselines import BASELINES
from synthcity.forecast.bundles.choose import choose
from synthcity.forecast.bundles.suitability import covered, doubts, learned_from, refuse_uncovered
from synthcity.forecast.evaluation.backtest import backtest_prompts, check_on_grid
from synthcity.forecast.evaluation.compare import Lead
from synthcity.forecast.evaluation.spread import Job, spread_backtest
from synthcity.forecast.evaluation.summary import Summary, summarise
from synthcity.forecast.forecaster import Forecaster
from synthcity.forecast.named import Named
from synthcity.forecast.quantise import MARK, Quantised
from synthcity.market.store import PriceStore, open_store
from synthcity.market.times import parse_time
from synthcity.schema import MAX_SEED
from synthcity.sn50.competitions import Competition, Rules, get_competition, get_rules
from synthcity.wording import bounds, lead_over, percent


def _time(ctx: click.Context, param: click.Parameter, text: str | None) -> int | None:
    """Return the unix seconds of a UTC date or time."""
    try:
        return None if text is None else parse_time(text)
    except ConfigError as error:
        raise click.BadParameter(str(error), ctx, param) from error


@click.command()
@click.argument("forecasters", nargs=-1, required=True, metavar="BUNDLE|BASELINE...")
@click.option(
    "--data",
    "store",
    required=True,
    type=LocalPath(file_okay=False),
    metavar="STORE",
    help="Price store, see `synthcity data`.",
)
@click.option("--competition", "competition_name", default="crypto-24h", show_default=True)
@click.option("--rules", "rules_date", metavar="DATE", help="Rules by date, e.g. 2026-09.  [default: newest]")
@click.option(
    "--assets", metavar="A,B,...", help="[default: of the competition, what the store has and all bundles know]"
)
@click.option("--venue", help="Where the store has an asset from several venues: which.")
@click.option("--from", "start", callback=_time, required=True, help="First prompt (UTC), e.g. 2025-11-01.")
@click.option("--to", "end", callback=_time, help="Last prompt is over by then.  [default: end of the data]")
@click.option("--every", type=Duration(1, whole=True), default="11h", show_default=True, help="Time between prompts.")
@click.option("--num-paths", type=click.IntRange(2, 100_000), default=1000, show_default=True)
@click.option("--seed", type=click.IntRange(0, MAX_SEED), default=0, show_default=True)
@click.option("--quantise/--no-quantise", "quantised", default=False, help="Give every step exact quantiles.")
@click.option("--trust-code", is_flag=True, help="Run what a language model wrote, where a bundle holds such code.")
@click.option("--json", "json_to", type=Output(), metavar="FILE", help="Everything as JSON; - is standard output.")
def command(
    forecasters: tuple[str, ...],
    store: str,
    competition_name: str,
    rules_date: str | None,
    assets: str | None,
    venue: str | None,
    start: int,
    end: int | None,
    every: int,
    num_paths: int,
    seed: int,
    quantised: bool,
    trust_code: bool,
    json_to: Path | None,
) -> None:
    """Compare forecasters prompt by prompt on past prices.

    Each one sees what was known at the prompt's start and is scored by the network's rules; lower is better.
    Name baselines (reference, trailing, ewma, fhs-plain, fhs, har), bundle folders, forecasters of installed
    distributions, and your own as module:Name. The lead is that over the first baseline named, in percent with its
    95 % interval; below zero is better. Share is the network's softmax over the forecasters compared.

    \b
    A strong baseline against the network's reference miner:
      synthcity backtest fhs reference --data prices --from 2025-11-01 --every 11h
    A winner against it, both with quantised paths:
      synthcity backtest run/winner fhs --data prices --from 2025-11-01 --quantise
    The one-hour competition, everything as JSON:
      synthcity backtest fhs --data prices --competition crypto-1h \\
          --from 2025-06-14 --every 97min --json -
    """
    rules, competition = _rules(competition_name, rules_date)
    check_on_grid(competition, start, every)
    chosen, first_baseline = _forecasters(forecasters, quantised, trust_code)
    named = dict(zip(dict.fromkeys(forecasters), chosen, strict=True))
    prices = open_store(store)
    names = _assets(prices, competition, assets, named)
    warnings = _warnings(named, rules, start, end)
    for warning in warnings:
        click.echo(f"warning: {warning}", err=True)
    market = prices.load_market(names, competition.time_increment, end=end, venue=venue)
    last = max(int(bars.observed[-1]) for bars in market.values()) if end is None else end
    prompts = backtest_prompts(competition, names, start, last, every, num_paths, rules=rules)
    load = partial(_only_forecasters, forecasters, quantised, trust_code)
    job = Job(load=load, market=market, competition=competition.name, rules=rules.date, seed=seed)
    with _progress(len(prompts)) as progress:
        result = spread_backtest(job, prompts, progress)
    summary = summarise(result, first_baseline, rules, warnings)
    _print(summary, err=str(json_to) == "-")
    if json_to:
        text = json.dumps({"seed": seed, "num_paths": num_paths, **summary.to_dict()}, allow_nan=False)
        _write(json_to, text + "\n")


def _write(path: Path, text: str) -> None:
    """Write to a file, or to standard output or a pipe, which are not replaced.

    Raises:
        RunError: the disk refuses.
    """
    try:
        if str(path) == "-" or (path.exists() and not path.is_file()):
            with click.open_file(str(path), "w", encoding="utf-8") as file:
                file.write(text)
        else:
            atomic_write(path, text)
    except OSError as error:
        raise RunError(f"cannot write {path}: {error.strerror or error}") from error


def _rules(name: str, date: str | None) -> tuple[Rules, Competition]:
    try:
        rules = get_rules(date)
        return rules, get_competition(name, rules)
    except ValueError as error:
        raise ConfigError(str(error)) from error


def _forecasters(arguments: tuple[str, ...], quantised: bool, trust_code: bool) -> tuple[list[Forecaster], str]:
    """Return the forecasters and the name of the one to hold the others against."""
    asked = list(dict.fromkeys(arguments))
    plain = [choose(argument, trust_code=trust_code) for argument in asked]
    found: list[Forecaster] = [Quantised(one) for one in plain] if quantised else plain
    names = [forecaster.name for forecaster in found]
    chosen = [
        Named(forecaster, argument + MARK * quantised) if names.count(forecaster.name) > 1 else forecaster
        for forecaster, argument in zip(found, asked, strict=True)
    ]
    baselines = [i for i, argument in enumerate(asked) if argument in BASELINES]
    return chosen, chosen[baselines[0] if baselines else 0].name


def _only_forecasters(arguments: tuple[str, ...], quantised: bool, trust_code: bool) -> list[Forecaster]:
    return _forecasters(arguments, quantised, trust_code)[0]


def _assets(
    store: PriceStore, competition: Competition, assets: str | None, named: Mapping[str, Forecaster]
) -> list[str]:
    """Return the asked assets; without any, those that the store has and that all forecasters were made for."""
    grid = (competition.time_length, competition.time_increment)
    if assets:
        names = [name.strip() for name in assets.split(",")]
        for name, forecaster in named.items():
            refuse_uncovered(name, forecaster, competition.name, grid, names)
        return names
    have = {series.asset for series in store.series() if series.resolution == competition.time_increment}
    names = [asset for asset in competition.assets if asset in have]
    if not names:
        raise ConfigError(f"store {store.name} has no {competition.time_increment}-second bars for {competition.name}")
    for name, forecaster in named.items():
        known = covered(forecaster, grid, names)
        if not known:
            refuse_uncovered(name, forecaster, competition.name, grid, names)
        names = known
    return names


def _warnings(named: Mapping[str, Forecaster], rules: Rules, start: int, end: int | None) -> list[str]:
    """Return what makes scores of the bundles worth less than they look."""
    found = []
    for name in named:
        learned = learned_from(name, start, end)
        found += [*doubts(name, rules), *([learned] if learned else [])]
    return found


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal; elsewhere a line at every tenth."""
    if sys.stderr.isatty():
        columns = (TextColumn("prompts"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("prompts", total=total)
            yield lambda done, _: bar.update(task, completed=done)
        return
    begin, told = time.monotonic(), [0]

    def tell(done: int, of: int) -> None:
        if (tenth := 10 * done // of) > told[0]:
            told[0] = tenth
            click.echo(f"{done:,} of {of:,} prompts in {time.monotonic() - begin:.0f} s", err=True)

    yield tell


def _print(summary: Summary, *, err: bool) -> None:
    result = summary.result
    dropped = f", {result.dropped} dropped (last price missing)" if result.dropped else ""
    click.echo(
        f"{result.competition}, rules {result.rules}: {result.num_prompts} prompts{dropped}, mean score in bps", err=err
    )
    for reason, count in result.lost.items():
        click.echo(f"{count} more prompts are lost for all: {reason}", err=err)
    for warning in summary.warnings:
        click.echo(f"WARNING: {warning}", err=err)
    numbers = [*summary.assets, "weighted", "plain", lead_over(summary.baseline), "share"]
    rows = []
    for line in summary.lines:
        scores = [line.by_asset[asset] for asset in summary.assets] + [line.weighted, line.plain]
        rows.append([line.forecaster, *(f"{score:.1f}" for score in scores), _lead(line.lead), f"{line.share:.1%}"])
    print_table(["forecaster", *numbers], rows, right=numbers, err=err)


def _lead(lead: Lead | None) -> str:
    if lead is None:
        return "-"
    return f"{percent(lead.mean)} ({bounds(lead.low, lead.high)})"

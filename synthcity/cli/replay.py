"""``synthcity replay``: what a forecaster would have earned among the real miners."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Sequence
from dataclasses import asdict

import click

from synthcity.cli.options import LocalPath
from synthcity.cli.progress import progress
from synthcity.cli.table import print_table
from synthcity.errors import ConfigError
from synthcity.forecast.bundles.choose import choose, identify
from synthcity.forecast.bundles.suitability import doubts, refuse_simulated
from synthcity.market.sources.synth import SynthSource
from synthcity.market.sources.synthapi import SynthApi
from synthcity.market.store import open_store
from synthcity.market.times import format_time, parse_time
from synthcity.schema import MAX_SEED
from synthcity.serve.settlement.estimate import Range
from synthcity.serve.settlement.replay import Past, Replayed, chosen_competitions, refuse_known_days, replay
from synthcity.settings import Settings
from synthcity.sn50.competitions import Competition, Rules, get_competition, get_rules


@click.command()
@click.argument("bundle", metavar="BUNDLE|BASELINE")
@click.option(
    "--data",
    "store",
    required=True,
    type=LocalPath(file_okay=False),
    metavar="STORE",
    help="Price store with bars of a minute and of the competition's increment; realised prices are added to it.",
)
@click.option("--days", type=click.IntRange(1, 365), default=10, show_default=True, help="Of scored prompts.")
@click.option("--competition", "names", multiple=True, metavar="C", help="[default: all that it was made for]")
@click.option("--until", metavar="DATE", help="Where the days end (UTC).  [default: now]")
@click.option("--rules", "date", metavar="DATE", help="Rules by date, e.g. 2026-09.  [default: newest]")
@click.option("--venue", help="Of the bars it sees.  [default: the one that the network settles by]")
@click.option("--uid", type=click.IntRange(0, 65535), help="Our own miner, left out of the others.")
@click.option("--seed", type=click.IntRange(0, MAX_SEED), default=0, show_default=True)
@click.option("--trust-code", is_flag=True, help="Run what a language model wrote, where a bundle holds such code.")
@click.option("--json", "as_json", is_flag=True, help="All of it, as one JSON object.")
def command(
    bundle: str,
    store: str,
    days: int,
    names: tuple[str, ...],
    until: str | None,
    date: str | None,
    venue: str | None,
    uid: int | None,
    seed: int,
    trust_code: bool,
    as_json: bool,
) -> None:
    """Answer the network's own past prompts again and show the place among the real miners.

    Prompts, realised prices and the scores of all miners come from the network's public API (two requests a second,
    no key), what was known when a prompt came from STORE. A competition whose window is shorter than --days, as that of
    crypto-1h is, counts its window. Refuses a bundle that was trained, chosen or tested on those days.

    \b
    Examples:
      synthcity replay runs/sweep/winner --data prices
      synthcity replay fhs --data prices --competition crypto-1h --days 5 --json
    """
    rules, only = _rules(date, names)
    refuse_simulated(bundle)
    forecaster = choose(bundle, trust_code=trust_code, quantised=True)  # as a miner answers
    chosen = chosen_competitions(bundle, forecaster, rules, only)
    longest = max(one.window_days for one in chosen)
    if days > longest:
        raise ConfigError(f"--days {days} is longer than the {longest} days that the network averages over")
    end, settings = min(parse_time(until) if until else math.inf, int(time.time())), Settings.load()
    past = Past(
        store=open_store(store),
        source=SynthSource(settings),
        api=SynthApi(settings),
        rules=rules,
        end=int(end),
        days=days,
        venue=venue,
        own_miner=uid,
        seed=seed,
    )
    warnings = [*doubts(bundle, rules)]
    for one in chosen:
        warnings += refuse_known_days(bundle, past.first_start(one), past.end)
    for warning in dict.fromkeys(warnings):
        click.echo(f"warning: {warning}", err=True)
    found = []
    with past.api:
        for one in chosen:
            with progress(one.name) as step:
                found.append(replay(forecaster, one, past, progress=step, tell=_tell))
    whole = sum(rules.competitions[one.competition].weight * one.estimate.rank.share for one in found)
    whole /= sum(one.weight for one in rules.competitions.values())
    if as_json:
        told = {"bundle": bundle, "identity": identify(bundle), "rules": rules.date, "until": past.end, "days": days}
        told |= {"share_of_all_pay": whole, "warnings": list(dict.fromkeys(warnings))}
        click.echo(json.dumps({**told, "competitions": [asdict(one) for one in found]}, allow_nan=False))
        return
    _print(bundle, past, found, whole)


def _rules(date: str | None, names: Sequence[str]) -> tuple[Rules, list[Competition]]:
    try:
        rules = get_rules(date)
        return rules, [get_competition(name, rules) for name in dict.fromkeys(names)]
    except ValueError as error:
        raise ConfigError(str(error)) from error


def _tell(sentence: str) -> None:
    click.echo(f"  {sentence}", err=True)


def _print(bundle: str, past: Past, found: Sequence[Replayed], whole: float) -> None:
    click.echo(f"{bundle} among the real miners, window until {format_time(past.end)} UTC, rules {past.rules.date}")
    rows = []
    for one in found:
        estimate, rank = one.estimate, one.estimate.rank
        cells = (f"{rank.average:.1f}", f"{rank.best:.1f}", f"{rank.median:.1f}", f"{rank.share:.2%}")
        place = (one.competition, f"{rank.rank} of {rank.num_miners}")
        rows.append((*place, *cells, f"{rank.num_prompts:,}"))
        bounds = (_bounds(estimate.standing, ".0f"), _bounds(estimate.average, ".1f"), _bounds(estimate.share, ".2%"))
        rows.append(("  95 %", bounds[0], bounds[1], "", "", bounds[2], ""))
    names = ("competition", "rank", "average", "best", "median", "share", "prompts")
    print_table(names, rows, right=names[1:])
    for one in found:
        if one.num_lost:
            click.echo(f"{one.competition}: {one.num_lost:,} prompts left out for everybody, the first: {one.why_lost}")
        if one.estimate.share is None:
            click.echo(f"{one.competition}: no interval, too few days ({one.estimate.num_blocks} parts of its window)")
        window = past.rules.competitions[one.competition].window_days
        if one.window_days < window:
            click.echo(f"{one.competition}: {one.window_days} of the {window} days that the network averages over")
    text = (
        f"Share is an estimate of the part of each competition's pay, {whole:.2%} of all pay. It takes for granted "
        "that every answer arrived in time, that all others had answered as they did, and that the miner is older than "
        "the window: a newcomer shows its rank only after one."
    )
    click.echo(click.wrap_text(text, 80))


def _bounds(found: Range | None, form: str) -> str:
    if found is None:
        return "-"
    if form.endswith("%"):
        return f"{100 * found.low:.2f}-{100 * found.high:.2f}"
    return f"{found.low:{form}}-{found.high:{form}}"

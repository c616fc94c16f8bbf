"""``synthcity data``: fill a price store and look into it."""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from synthcity.cli import calendar
from synthcity.cli.group import Group
from synthcity.cli.options import LocalPath, Output
from synthcity.schema import MAX_SEED

if TYPE_CHECKING:
    from synthcity.market.store import PriceStore
    from synthcity.market.store.coverage import Coverage

CRYPTO = "BTC,ETH,SOL,XRP,HYPE"
STORE, TARGET = (
    click.option("--store", type=kind, required=True, metavar="FOLDER", help="Folder of the store.")
    for kind in (LocalPath(file_okay=False), Output(is_folder=True, path_type=str))
)
RESOLUTION = click.Choice(["1m", "5m"])
_TOLD_EVERY_SECONDS = 5.0  # at most


@click.group(cls=Group)
def command() -> None:
    """Download, import, inspect and simulate price history.

    A store is a folder of Parquet files, one a day: ASSET/VENUE/RESOLUTION/DAY. Known bars never change and gaps
    stay gaps, so every command may be stopped at any time and repeated.

    \b
    Examples:
      synthcity data simulate --store prices --days 120
      synthcity data import ~/price-files --store prices
      synthcity data download --last "12 months" --store prices
      synthcity data info --store prices
      synthcity data calendar
    """


command.add_command(calendar.calendar)


@command.command("import")
@click.argument("folder", type=LocalPath(path_type=Path))
@TARGET
@click.option("--venue", default="files", show_default=True, help="Name under which the bars are kept.")
def import_files(folder: Path, store: str, venue: str) -> None:
    """Import a FOLDER of price files such as BTC_5m.parquet or XAU_1m.csv.

    Each file has the columns timestamp (when the bar opens; UTC unless it says otherwise), open, high, low, close,
    volume, under these or usual other names; Binance's dumps need no header. Files of other names are left alone, as
    are bars that cannot be or are not over yet. Importing again adds only what is new.

    \b
    Example:
      synthcity data import ~/price-files --store prices
    """
    from synthcity.errors import DataError
    from synthcity.market.sources.files import FileSource
    from synthcity.market.store import Series, open_store
    from synthcity.market.store.coverage import measure
    from synthcity.market.times import format_resolution

    source, target, total = FileSource(folder, venue), open_store(store), 0
    failed: list[DataError] = []
    for asset, resolution in source.series:
        try:
            bars = source.read(asset, resolution, _tell, time.time())
            added = target.append(asset, venue, resolution, bars, _tell)
        except DataError as error:
            failed.append(error)
            continue
        if not len(bars):
            click.echo(f"{asset} {format_resolution(resolution)}: the file has no bar")
            continue
        series = Series(asset=asset, venue=venue, resolution=resolution)
        click.echo(f"{series}: {_describe(measure(bars))}; {added:,} new")
        total += added
    if source.ignored:
        click.echo(f"left alone, not named like BTC_5m.parquet: {', '.join(source.ignored)}")
    for told in failed[:-1]:
        click.echo(f"error: {told}", err=True)
    if failed:
        raise failed[-1]
    click.echo(f"{total:,} new bars in {store}" if total else f"nothing new: {store} holds all of it already")


@command.command()
@click.option("--competition", "competition_name", default="crypto-24h", show_default=True, help="Gives the defaults.")
@click.option("--assets", metavar="A,B,...", help="Assets, e.g. BTC,ETH,XAU.  [default: those of the competition]")
@click.option(
    "--resolution",
    "--timeframe",
    type=click.Choice([*RESOLUTION.choices, "all"]),
    help="Length of a bar.  [default: what the competition asks for]",
)
@click.option("--start", metavar="DATE", help="First day or time (UTC).")
@click.option("--last", metavar="SPAN", help="In place of --start: the last so many, e.g. '12 months' or '90 days'.")
@click.option("--end", metavar="DATE", help="Where to stop, exclusive (UTC).  [default: now]")
@click.option("--source", "named", metavar="NAME", help="synth, another venue, or module:Name.")
@TARGET
def download(
    competition_name: str,
    assets: str | None,
    resolution: str | None,
    start: str | None,
    last: str | None,
    end: str | None,
    named: str | None,
    store: str,
) -> None:
    """Download bars from the venue that the network settles by, or from another source.

    Binance serves BTC, ETH, SOL and XRP as far back as it goes; Hyperliquid serves the rest, but only its last
    5,000 bars: repeat the command at least every three days for 1m. No key is needed. What the store holds is
    not fetched again. SYNTHCITY_BINANCE_URL and SYNTHCITY_HYPERLIQUID_URL choose other endpoints.

    --source synth takes the network's own prices instead, which answers were scored by: closes alone, round the clock,
    and far behind what Hyperliquid keeps. Six requests bring a day of 1m, two a day of 5m, two requests a second.

    \b
    Examples:
      synthcity data download --last "12 months" --store prices
      synthcity data download --assets BTC,ETH --resolution 5m \\
          --start 2025-01-01 --store prices
      synthcity data download --competition crypto-1h --last "50 days" \\
          --store prices
      synthcity data download --source synth --competition com-equ-24h \\
          --last "60 days" --store prices
      synthcity data download --source my_prices:Source --assets BTC \\
          --start 2025-11-01 --store prices
    """
    from synthcity.durations import DAY
    from synthcity.errors import ConfigError
    from synthcity.market import download as downloads
    from synthcity.market.periods import recent_start
    from synthcity.market.sources.external import find_source
    from synthcity.market.store import open_store
    from synthcity.market.times import format_resolution, format_time, parse_resolution, parse_time
    from synthcity.market.venues.official import official_source
    from synthcity.settings import Settings
    from synthcity.sn50.competitions import get_competition

    if (start is None) == (last is None):
        raise ConfigError('say since when: either --start DATE or --last SPAN, e.g. --last "12 months"')
    try:
        competition = get_competition(competition_name)
    except ValueError as error:
        raise ConfigError(str(error)) from error
    settings, now = Settings.load(), int(time.time())
    lengths = [competition.time_increment] if resolution is None else []
    lengths += [parse_resolution(each) for each in RESOLUTION.choices if resolution in (each, "all")]
    stop = min(parse_time(end) if end else now, now)
    # a search counts back from its store's last whole day
    first = parse_time(start) if start else recent_start(f"last {last}", stop // DAY * DAY)
    if first >= stop:
        raise ConfigError(f"nothing to download: {format_time(first)} is not before {format_time(stop)}")
    names = _split(assets) if assets else list(competition.assets)
    chosen = None if named is None else find_source(named, settings)
    sources = {asset: chosen or official_source(asset, settings) for asset in names}
    for (asset, source), seconds in itertools.product(sources.items(), lengths):
        resolution = format_resolution(seconds)
        with _progress(f"{asset} {resolution} from {source.venue}", stop - first) as progress:
            result = downloads.download(open_store(store), source, asset, seconds, first, stop, progress, _tell)
        click.echo(f"{asset} {resolution} ({source.venue}): {result.num_added:,} new bars")
        if result.out_of_reach:
            gone_from, gone_to = map(format_time, result.out_of_reach)
            click.echo(f"  {source.venue} no longer has {gone_from} to {gone_to}; import it from files if you have it")
            click.echo("  or take the closes that the network scored by: --source synth")
        click.echo(f"  the store holds {_holdings(open_store(store), asset, seconds, source.venue, first, stop)}")


@command.command()
@TARGET
@click.option("--assets", metavar="A,B,...", help="[default: all that the store has at --from]")
@click.option("--from", "source", type=RESOLUTION, default="1m", show_default=True, help="Bars to make them of.")
@click.option("--to", "target", type=RESOLUTION, default="5m", show_default=True, help="Bars to make.")
def resample(store: str, assets: str | None, source: str, target: str) -> None:
    """Make coarser bars out of the finer ones in a store, of the same venue.

    Only whole bars are made: where a minute is missing, its five minutes stay a gap. Bars that are there stay.

    \b
    Example:
      synthcity data resample --store prices --assets BTC,ETH
    """
    from synthcity.errors import ConfigError, DataError
    from synthcity.market.resample import resample as made_of
    from synthcity.market.store import Series, open_store
    from synthcity.market.times import parse_resolution

    finer, coarser, opened = parse_resolution(source), parse_resolution(target), open_store(store)
    if finer >= coarser:
        raise ConfigError(f"bars of {target} cannot be made of bars of {source}")
    names = None if assets is None else _split(assets)
    found = [s for s in opened.series() if s.resolution == finer and (names is None or s.asset in names)]
    if missing := sorted(set(names or ()) - {s.asset for s in found}):
        raise DataError(f"store {store} holds no {source} bars of {', '.join(missing)}")
    for series in found:
        bars, num_left_out = made_of(opened.load(series.asset, finer, series.venue), coarser)
        added = opened.append(series.asset, series.venue, coarser, bars, _tell)
        made = Series(asset=series.asset, venue=series.venue, resolution=coarser)
        click.echo(f"{made}: {len(bars):,} bars of {source}, {added:,} new; {num_left_out:,} left out, not whole")


@command.command()
@STORE
@click.option("--verify", is_flag=True, help="Read every file and hold it against its checksum.")
def info(store: str, verify: bool) -> None:
    """List what a store holds: span, bars, gaps and coverage of every series.

    A gap is a run of missing bars (a closed session, an outage); coverage is the share of bars that are there. With
    --verify every damaged file is named, and the exit code tells whether there is one.

    \b
    Examples:
      synthcity data info --store prices
      synthcity data info --store prices --verify
    """
    if verify:
        _verify(store)
        return
    from synthcity.cli.table import print_table
    from synthcity.market.store import open_store
    from synthcity.market.times import format_duration, format_resolution, format_time

    rows = [
        (
            series.asset,
            series.venue,
            format_resolution(series.resolution),
            format_time(coverage.first),
            format_time(coverage.last),
            f"{coverage.num_bars:,}",
            f"{coverage.num_gaps:,}",
            format_duration(coverage.longest_gap) if coverage.num_gaps else "-",
            f"{100 * coverage.share:.2f}%",
        )
        for series, coverage in open_store(store).info()
    ]
    names = ("asset", "venue", "bar", "first", "last", "bars", "gaps", "longest", "coverage")
    print_table(names, rows, right=("bars", "gaps", "longest", "coverage"))


@command.command()
@TARGET
@click.option("--assets", default=CRYPTO, show_default=True, metavar="A,B,...", help="Any of the network's.")
@click.option("--start", default="2025-01-01", show_default=True, metavar="DATE", help="First day (UTC).")
@click.option("--days", type=int, default=365, show_default=True, help="More days add to fewer.")
@click.option("--seed", type=click.IntRange(0, MAX_SEED), default=0, show_default=True, help="Chooses the history.")
@click.option("--resolution", type=RESOLUTION, default="5m", show_default=True, help="Length of a bar.")
@click.option("--round-the-clock", is_flag=True, help="Gold, oil and equities as perpetuals, which never close.")
def simulate(store: str, assets: str, start: str, days: int, seed: int, resolution: str, round_the_clock: bool) -> None:
    """Write a simulated market into a store, under the venue "simulated".

    Volatility clusters and follows the clock, returns are heavy-tailed, jump and move together, and equities and
    gold keep their sessions, or trade on as perpetuals: quiet nights and week-ends, gaps on news and earnings. The same
    options give the same bars.

    \b
    Example:
      synthcity data simulate --store prices --days 120 --seed 7
    """
    from synthcity.market.simulated import SimulatedConfig, SimulatedMarket
    from synthcity.market.store import open_store
    from synthcity.market.times import parse_resolution

    config = SimulatedConfig(seed=seed, start=start, days=days, round_the_clock=round_the_clock)
    market, seconds = SimulatedMarket(config), parse_resolution(resolution)
    drawn = market.market(_split(assets), resolution=seconds)
    total = 0
    for (asset, _), bars in drawn.items():
        total += (added := open_store(store).append(asset, "simulated", seconds, bars))
        click.echo(f"{asset} {resolution} (simulated): {len(bars):,} bars, {added:,} new")
    click.echo(f"{total:,} new bars in {store}" if total else f"nothing new: {store} holds all of it already")


def _verify(store: str) -> None:
    from synthcity.errors import DataError
    from synthcity.market.store import open_store

    target = open_store(store)
    target.series()  # an empty store is no sound one
    found = target.verify()
    for sentence in found.damaged:
        click.echo(sentence)
    if found.damaged:
        raise DataError(f"{len(found.damaged):,} of {found.num_checked:,} files in {store} are damaged")
    unproven = f"; {found.num_unproven:,} of before there were checksums" if found.num_unproven else ""
    click.echo(f"{found.num_checked:,} files in {store} are sound{unproven}")


def _tell(sentence: str) -> None:
    click.echo(f"  {sentence}")


def _split(assets: str) -> list[str]:
    return list(dict.fromkeys(name.strip() for name in assets.split(",") if name.strip()))


def _describe(coverage: Coverage) -> str:
    from synthcity.market.times import format_duration, format_time

    longest = format_duration(coverage.longest_gap)
    gaps = {0: "no gap", 1: f"one gap of {longest}"}.get(
        coverage.num_gaps, f"{coverage.num_gaps:,} gaps, the longest {longest}"
    )
    return f"{coverage.num_bars:,} bars from {format_time(coverage.first)} to {format_time(coverage.last)}, {gaps}"


def _holdings(store: PriceStore, asset: str, resolution: int, venue: str, start: int, end: int) -> str:
    from synthcity.market.store.coverage import measure

    times = store.times(asset, venue, resolution, start, end)
    if not ((times >= start) & (times < end)).any():
        return "no bar of this span: the venue has none"
    return _describe(measure(store.load(asset, resolution, venue, start, end)))


@contextmanager
def _progress(title: str, total_seconds: int) -> Iterator[Callable[[int], None]]:
    """A bar over the span on a terminal; elsewhere a line, and one more for every tenth that takes its time."""
    from synthcity.market.times import format_duration

    if not sys.stdout.isatty():
        click.echo(f"downloading {title}")
        begin = told_at = time.monotonic()
        done = told = 0

        def tell(seconds: int) -> None:
            nonlocal done, told, told_at
            done, now = done + seconds, time.monotonic()
            if done < total_seconds and 10 * (done - told) >= total_seconds and now - told_at >= _TOLD_EVERY_SECONDS:
                left = format_duration(round((now - begin) / done * (total_seconds - done)))
                click.echo(f"  {done / total_seconds:.0%} after {format_duration(round(now - begin))}, {left} left")
                told, told_at = done, now

        yield tell
        return
    from rich.progress import Progress

    with Progress(transient=True) as progress:
        task = progress.add_task(title, total=total_seconds)
        yield lambda seconds: progress.advance(task, seconds)

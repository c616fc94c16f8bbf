"""``synthcity combine``: one bundle out of several, each for its own prompts."""

from __future__ import annotations

from pathlib import Path

import click

_TRUST = "Run what a language model wrote, where a bundle holds such code."


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("parts", nargs=-1, required=True, metavar="COMPETITION[:A,B,...]=BUNDLE|BASELINE...")
@click.option("--trust-code", is_flag=True, help=_TRUST)
def command(folder: Path, parts: tuple[str, ...], trust_code: bool) -> None:
    """Write to FOLDER a bundle in which each prompt goes to the forecaster that was made for it.

    A search finds the best forecaster of one competition; a miner is asked for all of them. The first part that covers
    a prompt answers it, so exceptions come before what they except.

    \b
    Examples:
      synthcity combine bundles/all crypto-24h=runs/sweep/winner crypto-1h=runs/sweep-1h/winner com-equ-24h=fhs
      synthcity combine bundles/btc crypto-24h:BTC=runs/btc/winner crypto-24h=runs/sweep/winner
    """
    from synthcity.errors import ConfigError
    from synthcity.forecast.choose import choose
    from synthcity.forecast.dispatch import Dispatch, Route
    from synthcity.sn50.prompt import Prompt

    named: dict[Route, str] = {}
    for part in parts:
        way, equals, name = part.partition("=")
        if not equals or not name.strip():
            raise ConfigError(f"{part!r} is no part; write e.g. crypto-24h=runs/sweep/winner")
        route = Route.parse(way)
        if route in named:
            raise ConfigError(f"{way!r} is given twice, to {named[route]} and to {name}; name one of them")
        grid = {"time_length": route.time_length, "time_increment": route.time_increment}
        asked = [Prompt(asset=asset, start_time=0, **grid) for asset in route.assets]
        if all(any(other.covers(prompt) for other in named) for prompt in asked):
            raise ConfigError(f"{part!r} never answers, since earlier parts take all its prompts; put exceptions first")
        named[route] = name.strip()
    forecasters = [choose(name, trust_code=trust_code, quantised=True) for name in named.values()]
    sources = [{"route": way.partition("=")[0], "from": name} for way, name in zip(parts, named.values(), strict=True)]
    Dispatch(list(named), forecasters, name=folder.name).save(folder, manifest={"parts": sources})
    for part, forecaster in zip(parts, forecasters, strict=True):
        click.echo(f"{part.partition('=')[0]:<24}{forecaster.name}")
    click.echo(f"written to {folder}; serve it by `synthcity serve {folder} --data STORE`")

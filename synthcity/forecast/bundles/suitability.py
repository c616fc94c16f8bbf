"""Whether a bundle suits what is asked of it: told before prices are loaded, from its facts and from what it covers."""

from __future__ import annotations

import os
from collections.abc import Sequence

from synthcity.errors import ConfigError
from synthcity.forecast.baselines import BASELINES
from synthcity.forecast.bundles.facts import Facts
from synthcity.forecast.bundles.provenance import read_facts
from synthcity.forecast.forecaster import Forecaster, covers
from synthcity.market.times import format_time
from synthcity.sn50.competitions import Rules, get_rules
from synthcity.sn50.prompt import Prompt

Grid = tuple[int, int]
"""``time_length`` and ``time_increment`` of prompts, in seconds."""


def facts_of(name: str) -> tuple[Facts, ...]:
    """Return the facts of all that the bundle called ``name`` is made of; a baseline, which is no folder, has none.

    Raises:
        BundleError: its manifest is missing or makes no sense.
    """
    return read_facts(name) if name not in BASELINES and os.path.isdir(name) else ()


def is_simulated(facts: Sequence[Facts]) -> bool:
    """Whether any part was trained on prices that nobody ever paid."""
    return any(one.is_simulated for one in facts)


def refuse_simulated(name: str) -> None:
    """Refuse a bundle that knows a simulated market, or nothing else than one, where money is at stake.

    Raises:
        ConfigError: it was trained on simulated prices.
        BundleError: its manifest is missing or makes no sense.
    """
    if is_simulated(facts_of(name)):
        raise ConfigError(
            f"{name} was trained on SIMULATED prices, so it is worth nothing to validators; search on real ones, e.g. "
            "`synthcity search configs/sweep.yaml`, mine with the baseline fhs, or see it work by "
            f"`synthcity mine rehearse {name}`"
        )


def doubts(name: str, rules: Rules | None = None) -> list[str]:
    """Return what an operator should know of the bundle called ``name``, a sentence each; nothing of a baseline.

    Args:
        rules: by which it is to answer; the newest by default.

    Raises:
        BundleError: its manifest is missing or makes no sense.
    """
    rules, facts, told = rules or get_rules(), facts_of(name), []
    if is_simulated(facts):
        told.append(f"{name} was trained on SIMULATED prices: its forecasts of real ones are worth nothing")
    if any(not one.venues for one in facts):
        told.append(f"{name} does not tell whose prices it was trained on (unknown: an older bundle)")
    for date in sorted({one.rules for one in facts if one.rules is not None and one.rules != rules.date}):
        told.append(f"{name} was trained and judged by the rules of {date}, not by those of {rules.date}")
    return told


def learned_from(name: str, start: int, end: int | None = None, competition: str | None = None) -> str | None:
    """Return a sentence if prices of the span asked about trained or chose the bundle called ``name``.

    Args:
        start, end: of the span, unix seconds; without an end it reaches to now.
        competition: whose prompts are asked; what was made for another does not answer them. None for any.

    Raises:
        BundleError: its manifest is missing or makes no sense.
    """
    for one in facts_of(name):
        learned = one.learned
        if None not in (competition, one.competition) and one.competition != competition:
            continue
        if learned is not None and start < learned.end and (end is None or learned.start < end):
            return (
                f"{name} LEARNED from {learned}, and the prompts begin on {format_time(start)}: what it scores there "
                f"is no forecast and proves nothing; begin on {format_time(learned.end)} or later"
            )
    return None


def covered(forecaster: Forecaster, grid: Grid, assets: Sequence[str]) -> list[str]:
    """Return those of ``assets`` whose prompts on ``grid`` the forecaster was made for.

    Raises:
        ConfigError: the network knows no such asset.
    """
    length, increment = grid
    try:
        prompts = [Prompt(asset=a, start_time=0, time_length=length, time_increment=increment) for a in assets]
    except ValueError as error:
        raise ConfigError(str(error)) from error
    return [prompt.asset for prompt in prompts if covers(forecaster, prompt)]


def refuse_uncovered(name: str, forecaster: Forecaster, where: str, grid: Grid, assets: Sequence[str]) -> None:
    """Refuse a forecaster that was not made for every one of ``assets`` on ``grid``.

    Args:
        where: the competition, for the sentence.

    Raises:
        ConfigError: names what it lacks.
    """
    known = covered(forecaster, grid, assets)
    if not known:
        raise ConfigError(f"{name} was not made for {where} of {', '.join(assets)}{_made_for(name)}")
    if lacking := [asset for asset in assets if asset not in known]:
        raise ConfigError(
            f"{name} was made for {', '.join(known)} of {where}, not for {', '.join(lacking)}; "
            f"name only what it knows: {','.join(known)}"
        )


def refuse_useless(name: str, forecaster: Forecaster, assets: Sequence[str]) -> None:
    """Refuse a forecaster that would leave every prompt of the network to the fallback.

    Raises:
        ConfigError: it was made for no prompt of ``assets`` that the network sends.
    """
    for one in get_rules().competitions.values():
        if covered(forecaster, (one.time_length, one.time_increment), sorted({*one.assets} & {*assets})):
            return
    raise ConfigError(f"{name} was made for no prompt of {', '.join(assets)} that the network sends{_made_for(name)}")


def _made_for(name: str) -> str:
    told = [f"{one.competition} of {', '.join(one.assets)}" for one in facts_of(name) if one.competition and one.assets]
    return f", but for {' and '.join(dict.fromkeys(told))}; ask it for that" if told else ""

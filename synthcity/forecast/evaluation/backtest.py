"""Forecasters on past prompts: simulate at t0, wait, score by the network's rules.

Everything hangs on one pure function a prompt, ``score_prompt``, so that whoever has many processes can spread
the prompts over them and put the rows together with ``collect``.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from synthcity.durations import parse_duration
from synthcity.errors import ConfigError, DataError, NotCovered, TrialFailed
from synthcity.forecast.bundles.choose import choose
from synthcity.forecast.forecaster import Forecaster, Paths
from synthcity.market.bars import Market
from synthcity.market.times import format_duration, format_time, parse_time
from synthcity.seeds import hash_seed
from synthcity.sn50.competitions import Competition, Rules, get_competition, get_rules
from synthcity.sn50.prompt import Prompt
from synthcity.sn50.scoring import network_score

INTERVAL_PREFIX = "i_"
CANNOT_ANSWER = (DataError, TrialFailed, ArithmeticError, np.linalg.LinAlgError)
"""What a forecaster may raise about one prompt without ending the rest."""
Row = dict[str, Any]
Lose = Callable[[Prompt, str], None]
_log = logging.getLogger(__name__)


def _tell_lost(prompt: Prompt, reason: str) -> None:
    _log.warning("the prompt of %s at %s is lost for all: %s", prompt.asset, format_time(prompt.start_time), reason)


@dataclass(frozen=True, kw_only=True)
class Backtest:
    """Scores in basis points, lower is better.

    ``scores`` has one row a prompt and forecaster: ``asset``, ``start_time`` (unix s), ``forecaster``, ``total``
    and one column an interval, prefixed ``i_``. ``dropped`` counts prompts whose last price was never observed:
    the network does not score those either. ``lost`` counts, by reason, prompts that one of the forecasters could not
    answer: they are lost for all, so that everybody is compared on the same ones.

    Example:
        >>> import synthcity
        >>> market = synthcity.SimulatedMarket().market(["BTC"])
        >>> asked = synthcity.prompts("crypto-24h", ["BTC"], "2025-03-01", "2025-03-03", "11h", num_simulations=50)
        >>> result = synthcity.backtest(["reference", "fhs"], market, asked, "crypto-24h")
        >>> result.scores.groupby("forecaster").total.count().to_dict()
        {'fhs': 3, 'reference': 3}
    """

    competition: str
    rules: str
    scores: pd.DataFrame
    num_prompts: int
    dropped: int
    lost: Mapping[str, int] = field(default_factory=dict)


def backtest_prompts(
    competition: str | Competition,
    assets: Sequence[str],
    start: int | str,
    end: int | str,
    every: int | str,
    num_simulations: int = 1000,
    *,
    rules: Rules | str | None = None,
) -> list[Prompt]:
    """Return a prompt for each asset at ``start``, ``start + every``, ... that is over by ``end``.

    Times are unix seconds or dates such as ``2025-11-01`` (UTC), ``every`` is in seconds or such as ``11h``.

    Raises:
        ValueError: ``every`` is not positive, or no rules know an asset.
        ConfigError: a time or duration is none, or prompts would start between two bars.
        DataError: not one prompt fits between start and end.

    Example:
        >>> import synthcity
        >>> asked = synthcity.prompts("crypto-1h", ["BTC", "ETH"], "2025-11-01", "2025-11-02", "97min")
        >>> len(asked), asked[0].asset, asked[0].num_steps
        (30, 'BTC', 60)
    """
    start, end, every = parse_time(start), parse_time(end), _every(every)
    if every <= 0:
        raise ValueError(f"prompts must be a positive time apart, got {every} s")
    rules_of = get_competition(competition, rules)
    check_on_grid(rules_of, start, every)
    starts = range(start, end - rules_of.time_length + 1, every)
    if not starts:
        have = f"{pd.Timestamp(start, unit='s')} to {pd.Timestamp(end, unit='s')}"
        raise DataError(f"no prompt of {rules_of.time_length} s fits between {have} (UTC); widen the period")
    return [
        Prompt(
            asset=asset,
            start_time=start_time,
            time_increment=rules_of.time_increment,
            time_length=rules_of.time_length,
            num_simulations=num_simulations,
        )
        for start_time in starts
        for asset in assets
    ]


def check_on_grid(competition: Competition, start: int, every: int) -> None:
    """Refuse prompts that would start between two bars, where no price is observed.

    Raises:
        ConfigError: the first one (unix s) or the time between two lies off the grid.
    """
    step = competition.time_increment
    if start % step or every % step:
        what = f"start at {format_time(start)}" if start % step else f"come every {format_duration(every)}"
        raise ConfigError(
            f"prompts of {competition.name} start where one of its {step}-second bars ends; they cannot {what}, "
            f"but at whole multiples of {format_duration(step)}"
        )


def backtest(
    forecasters: Sequence[Forecaster | str],
    market: Market,
    prompts: Sequence[Prompt],
    competition: str | Competition,
    *,
    rules: Rules | str | None = None,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Backtest:
    """Score every forecaster on every prompt, each seeing only what was observed by the prompt's start.

    Args:
        forecasters: with distinct names; those given by name (a baseline, a bundle's folder) are looked up.
        market: bars of the prompts' assets at the competition's increment, and whatever else they read.
        prompts: see ``backtest_prompts``.
        competition: whose intervals count.
        rules: a date such as ``2026-05``; the newest by default.
        seed: each prompt derives its own from this, its asset and its start alone, so forecasters are paired
            and neither their order nor the prompts' matters.
        progress: called with (prompts done, all prompts).

    Raises:
        ConfigError: there is no forecaster of a name.
        DataError: every prompt was dropped or lost.
        ValueError: two forecasters share a name, one returns paths that no validator would take, or an argument is of
            another kind.

    Example:
        >>> import synthcity
        >>> market = synthcity.SimulatedMarket().market(["BTC"])
        >>> asked = synthcity.prompts("crypto-24h", ["BTC"], "2025-03-01", "2025-03-03", "11h", num_simulations=50)
        >>> len(synthcity.backtest(["fhs"], market, asked, "crypto-24h", rules="2026-05").scores)
        3
    """
    chosen = _forecasters(forecasters)
    if not isinstance(market, Market):
        raise ValueError(f"market must be a synthcity.Market, as Store.load_market makes it, not {_kind(market)}")
    if isinstance(prompts, Prompt) or not all(isinstance(prompt, Prompt) for prompt in prompts):
        raise ValueError("prompts must be a list of synthcity.Prompt, as synthcity.prompts makes it")
    rows: list[Row] = []
    lost: Counter[str] = Counter()
    rules, competition = get_rules(rules), get_competition(competition, rules)
    for done, prompt in enumerate(prompts, start=1):
        rows += score_prompt(chosen, market, prompt, competition, rules, seed, lambda _, why: lost.update([why]))
        if progress:
            progress(done, len(prompts))
    return collect(rows, prompts, competition, rules, lost)


def score_prompt(
    forecasters: Sequence[Forecaster],
    market: Market,
    prompt: Prompt,
    competition: str | Competition,
    rules: Rules | str | None = None,
    seed: int = 0,
    lose: Lose = _tell_lost,
) -> list[Row]:
    """Return one row a forecaster, or none where the prompt's last price was never observed.

    Where one forecaster cannot answer (a price that never moved, too short a past) the prompt is lost for all: ``lose``
    is called with it and the reason, and there is no row.

    Raises:
        NotCovered: a forecaster was not made for such prompts at all.
        ValueError: two forecasters share a name, or one returns paths that no validator would take.
    """
    names = [forecaster.name for forecaster in forecasters]
    if len(set(names)) < len(names):
        raise ValueError(f"forecasters must have distinct names, got {names}")
    realised = realised_prices(market, prompt)
    if realised is None:
        return []
    history = market.as_of(prompt.start_time)
    rows = []
    for forecaster in forecasters:
        try:
            paths = forecaster.simulate(history, prompt, seed=prompt_seed(seed, prompt))
        except NotCovered:
            raise
        except CANNOT_ANSWER as error:
            lose(prompt, f"{forecaster.name}: {error}")
            return []
        check_paths(paths, prompt, forecaster.name)
        result = network_score(paths, realised, competition, rules)
        if not result.valid:
            raise ValueError(f"{forecaster.name} returned paths whose score overflows ({prompt})")
        intervals = {INTERVAL_PREFIX + name: float(value) for name, value in result.intervals.items()}
        rows.append(
            {
                "asset": prompt.asset,
                "start_time": prompt.start_time,
                "forecaster": forecaster.name,
                "total": float(result.total),
                **intervals,
            }
        )
    return rows


def collect(
    rows: Iterable[Row],
    prompts: Sequence[Prompt],
    competition: str | Competition,
    rules: Rules | str | None = None,
    lost: Mapping[str, int] = MappingProxyType({}),
) -> Backtest:
    """Put the rows of all prompts, in any order, into one result; ``lost`` counts by reason what has no rows.

    Raises:
        DataError: there is no row at all.
    """
    scores = pd.DataFrame(list(rows))
    if scores.empty and lost:
        reason = max(lost, key=lambda text: lost[text])
        raise DataError(f"none of {len(prompts)} prompts could be answered by everybody; {lost[reason]} times {reason}")
    if scores.empty:
        raise DataError(
            f"none of {len(prompts)} prompts has a realised last price; load prices past the last prompt's end"
        )
    scores = scores.sort_values(["start_time", "asset"], kind="stable", ignore_index=True)
    scored = len(scores[["asset", "start_time"]].drop_duplicates())
    return Backtest(
        competition=get_competition(competition, rules).name,
        rules=get_rules(rules).date,
        scores=scores,
        num_prompts=scored,
        dropped=len(prompts) - scored - sum(lost.values()),
        lost=dict(lost),
    )


def realised_prices(market: Market, prompt: Prompt) -> Paths | None:
    """Return the realised path (num_steps + 1,), NaN where nothing was observed; None if the last is missing.

    Raises:
        DataError: the market has no bars of the prompt's asset at its increment.
    """
    key = (prompt.asset, prompt.time_increment)
    if key not in market:
        have = ", ".join(sorted(f"{asset} {resolution}s" for asset, resolution in market)) or "nothing"
        raise DataError(f"no {prompt.time_increment}-second bars of {prompt.asset}; the market holds {have}")
    realised = market.realised(prompt.asset, prompt.grid, prompt.time_increment)
    return None if np.isnan(realised[-1]) else realised


def prompt_seed(seed: int, prompt: Prompt) -> int:
    """Return the 63-bit seed of one prompt, a hash of the run's seed, the asset and the start."""
    return hash_seed(seed, prompt.asset, prompt.start_time)


def check_paths(paths: Paths, prompt: Prompt, name: str) -> None:
    """Hold paths against the forecaster contract.

    Raises:
        ValueError: wrong shape, or a price that is not finite and positive.
    """
    shape = (prompt.num_simulations, prompt.num_steps + 1)
    if paths.shape != shape:
        raise ValueError(f"{name} returned paths of shape {paths.shape} for {prompt.asset}, asked for {shape}")
    if not (np.isfinite(paths).all() and paths.min() > 0):
        raise ValueError(
            f"{name} returned a price that is not finite and positive ({prompt.asset} at {prompt.start_time})"
        )


def _forecasters(given: Sequence[Forecaster | str]) -> list[Forecaster]:
    if isinstance(given, str) or not isinstance(given, Sequence):
        raise ValueError(f"forecasters must be a list of forecasters or of their names, not {_kind(given)}")
    found = [choose(one) if isinstance(one, str) else one for one in given]
    for one in found:
        if not isinstance(one, Forecaster):
            raise ValueError(f"{_kind(one)} is no forecaster: it needs a name, simulate and simulate_many")
    return found


def _every(value: int | str) -> int:
    try:
        return int(value if isinstance(value, int) else parse_duration(value))
    except ValueError as error:
        raise ConfigError(f"every must be {error}, got {value!r}") from error


def _kind(value: object) -> str:
    return repr(value) if isinstance(value, str | int | float) else type(value).__name__

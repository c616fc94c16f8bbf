"""From kept inputs and prices to a forecaster: what the test of inputs fits before a fold, fitted on a whole period."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from synthcity.authored.locked.isolation import check_isolation
from synthcity.durations import DAY, HOUR
from synthcity.errors import DataError, TrialFailed
from synthcity.forecast.baselines.har import Har
from synthcity.market.bars import Floats, Market
from synthcity.market.periods import Period
from synthcity.research.informed.forecaster import Informed, Learned, clipped
from synthcity.research.informed.kept import FEATURE, Kept
from synthcity.research.inputs import InputRefused
from synthcity.research.known import Known, known_of
from synthcity.research.measuring.cases import Cases, build_cases
from synthcity.research.measuring.design import Columns, input_columns, plain_columns
from synthcity.research.measuring.regression import fit
from synthcity.seeds import hash_seed
from synthcity.sn50.competitions import Competition

_EVERY = 11 * HOUR  # between two prompts, or a multiple of it: no hour of the day is left out
_MOST_CASES, _LEAST_CASES = 1_500, 30
_HISTORY = 30 * DAY  # before the first prompt


def learn(
    inputs: Sequence[Kept],
    market: Market,
    assets: Sequence[str],
    competition: Competition,
    period: Period,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Informed | None, tuple[str, ...]]:
    """Fit the coefficients of all inputs together on the prompts of ``period`` that end in it.

    Returns:
        The forecaster, None where no input is left, and a sentence for each input or prompts that are left out.

    Raises:
        NotIsolated: a language model wrote one of them, and no process can be locked here.
    """
    if any(one.kind == FEATURE for one in inputs):
        check_isolation()
    step = competition.time_increment
    try:
        cases, known, notes = _cases(market.until(period.end), assets, competition, period, progress)
    except DataError as error:
        return None, (f"there is nothing to learn the kept inputs from: {error}",)
    found: list[tuple[Kept, Columns]] = []
    everything = np.ones(len(cases), dtype=np.bool_)
    for one in inputs:
        try:
            if one.leader not in (None, *assets):
                raise InputRefused(f"it reads prices of {one.leader}, which are not there")
            opened = one.open(market, known)
            found.append((one, input_columns(opened, cases, known, everything, hash_seed(0, one.sha256))))
        except TrialFailed as error:
            notes += (f"the kept input {one.name} is left out: {error}",)
    if not found:
        return None, notes
    learned = _fitted(found, cases)
    log = sum((each.laid @ one.coefficients.astype(np.float32) for one, (_, each) in zip(learned, found, strict=True)))
    forecaster = Informed(
        learned,
        assets=assets,
        levels=_levels(np.exp(clipped(np.asarray(log, dtype=np.float64))), cases),
        step=step,
        horizon=cases.horizon,
    )
    return forecaster, notes


def _cases(
    market: Market,
    assets: Sequence[str],
    competition: Competition,
    period: Period,
    progress: Callable[[int, int], None] | None,
) -> tuple[Cases, Known, tuple[str, ...]]:
    known = known_of(market, assets, competition.time_increment)
    begin = max(period.start, int(known.times[0]) + _HISTORY)
    begin += (int(known.times[0]) - begin) % competition.time_increment  # on the grid of the bars
    end = period.end - competition.time_length
    every = _EVERY * max(1, -(-(end - begin) * len(assets) // (_MOST_CASES * _EVERY)))
    cases, notes = build_cases(Har(), market, known, assets, competition, range(begin, end + 1, every), progress)
    if len(cases) < _LEAST_CASES:
        raise DataError(f"{len(cases)} prompts lie in {period}, and {_LEAST_CASES} are needed; let it be longer")
    return cases, known, notes


def _fitted(found: Sequence[tuple[Kept, Columns]], cases: Cases) -> list[Learned]:
    """Fit all columns together, beside levels by asset and lead, which are dropped: ``har`` has its own."""
    moves = cases.moves(np.ones(len(cases), dtype=np.bool_))
    size = moves / _by_asset(moves, cases)[cases.asset][:, None]
    plain = plain_columns(cases)
    x = np.concatenate([plain, *(each.laid for _, each in found)], axis=2)
    strength = np.concatenate([np.zeros(plain.shape[2]), *(each.strength for _, each in found)])
    seen = np.isfinite(size)
    coefficients = fit(x[seen], size[seen], strength)
    learned, at = [], plain.shape[2]
    for kept, each in found:
        own = coefficients[at : at + each.laid.shape[2]]
        learned.append(Learned(kept=kept, past=each.past, future=each.future, coefficients=own))
        at += each.laid.shape[2]
    return learned


def _levels(multipliers: Floats, cases: Cases) -> dict[str, float]:
    """The mean multiplier of each asset that has prompts."""
    mean = _by_asset(np.where(np.isfinite(cases.returns), multipliers, np.nan), cases)
    return {asset: float(mean[n]) for n, asset in enumerate(cases.assets) if (cases.asset == n).any()}


def _by_asset(values: Floats, cases: Cases) -> Floats:
    """Mean of what is there by asset, (assets,), 1 where nothing is."""
    found = np.ones(len(cases.assets))
    for which in range(len(found)):
        own = values[cases.asset == which]
        if np.isfinite(own).any():
            found[which] = np.nanmean(own)
    return found

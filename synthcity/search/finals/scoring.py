"""Scoring forecasters on many prompts, spread over the cluster's workers."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import numpy as np
import pandas as pd
import ray
import torch

from synthcity.errors import DataError, SynthcityError
from synthcity.forecast.evaluation.backtest import Row, check_paths, collect, prompt_seed, realised_prices, score_prompt
from synthcity.forecast.evaluation.diagnostics import Diagnostics, level_horizons, pit_horizons
from synthcity.forecast.evaluation.interval import block_days
from synthcity.forecast.forecaster import Forecaster, Paths
from synthcity.forecast.named import Named
from synthcity.forecast.weights import Floats, PairTerms, own_scores, pair_terms
from synthcity.market.bars import Market, Prices
from synthcity.search.data import SearchData
from synthcity.sn50.competitions import Competition, Rules
from synthcity.sn50.prompt import Prompt

T = TypeVar("T")
_Found = tuple[list[Row], Counter[str]]  # rows, and what was lost by reason
_CHUNKS_PER_WORKER = 6  # the last chunks even out the workers' speeds
_PAIR_PATHS = 250
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class PairRow:
    """What any mix scores on one prompt; ``weight`` is its asset's coefficient."""

    asset: str
    start: int
    terms: PairTerms
    weight: float


@dataclass(frozen=True, kw_only=True)
class OwnRow:
    """What each forecaster scores on one prompt by itself, (K,); ``weight`` is its asset's coefficient."""

    asset: str
    start: int
    scores: Floats
    weight: float


class Scorer:
    """Fans prompts out over Ray workers; the market travels once, results do not depend on who did what.

    ``count`` is called with (prompts done, all prompts) of each call.
    ``seconds``: what all of it has taken so far, with every worker busy; their start does not count.
    """

    def __init__(
        self, data: SearchData, workers: int, count: Callable[[int, int], None] = lambda done, of: None
    ) -> None:
        self._data = data
        self._count = count
        self.workers = workers
        self.seconds = 0.0
        self._market = ray.put(data.market)
        self.lost: Counter[str] = Counter()  # by reason, prompts of the last call that one could not answer

    def scores(self, forecasters: Sequence[Forecaster], prompts: Sequence[Prompt], *, seed: int) -> pd.DataFrame:
        """Return official scores in long form: asset, start_time, forecaster, total, one column an interval.

        Raises:
            DataError: no prompt has a realised last price.
        """
        return self._collected(self._spread(_score_chunk, forecasters, prompts, seed), prompts)

    def pair_terms(self, forecasters: Sequence[Forecaster], prompts: Sequence[Prompt], *, seed: int) -> list[PairRow]:
        """Return prompt by prompt what any mix of ``forecasters`` scores, in the order of ``prompts``.

        Raises:
            DataError: no prompt has a realised last price.
        """
        rows, weight = self._found(pair_terms, forecasters, prompts, seed), self._data.rules.coefficient
        return [PairRow(asset=p.asset, start=p.start_time, terms=terms, weight=weight(p.asset)) for p, terms in rows]

    def own_scores(self, forecasters: Sequence[Forecaster], prompts: Sequence[Prompt], *, seed: int) -> list[OwnRow]:
        """Return prompt by prompt what each forecaster scores by itself, the law and not an ensemble.

        Raises:
            DataError: no prompt has a realised last price.
        """
        rows, weight = self._found(own_scores, forecasters, prompts, seed), self._data.rules.coefficient
        return [OwnRow(asset=p.asset, start=p.start_time, scores=found, weight=weight(p.asset)) for p, found in rows]

    def ask(self, forecaster: Forecaster, prompts: Sequence[Prompt]) -> None:
        """Have a forecaster answer all prompts but those that nobody can, and score nothing.

        Raises:
            TrialFailed: it failed at one.
        """
        self._spread(_ask_chunk, [forecaster], prompts, 0)

    def _found(
        self,
        terms: Callable[..., T | None],
        forecasters: Sequence[Forecaster],
        prompts: Sequence[Prompt],
        seed: int,
    ) -> list[tuple[Prompt, T]]:
        rows = self._spread(partial(_terms_chunk, terms), forecasters, prompts, seed)
        if not rows:
            raise DataError(f"none of {len(prompts)} validation prompts has a realised last price; check the prices")
        return rows

    def scores_and_diagnostics(
        self, forecasters: Sequence[Forecaster], prompts: Sequence[Prompt], *, seed: int, rival: str
    ) -> tuple[pd.DataFrame, Diagnostics]:
        """Return the scores of all and, from the same paths, calibration and fan charts of the first.

        The charts show the one that is named ``rival``, too.

        Raises:
            DataError: no prompt has a realised last price.
        """
        parts = self._spread(partial(_diagnose_chunk, rival=rival), forecasters, prompts, seed)
        total = _diagnostics(self._data.competition, rival)
        for _, diagnostics in parts:
            total.merge(diagnostics)
        return self._collected([found for found, _ in parts], prompts), total

    def _collected(self, parts: Sequence[_Found], prompts: Sequence[Prompt]) -> pd.DataFrame:
        self.lost = sum((lost for _, lost in parts), Counter())
        for reason, count in self.lost.items():
            _log.warning("%d of %d prompts are lost for all: %s", count, len(prompts), reason)
        rows = [row for rows, _ in parts for row in rows]
        return collect(rows, prompts, self._data.competition, self._data.rules, self.lost).scores

    def _spread(
        self,
        function: Callable[..., list[T]],
        forecasters: Sequence[Forecaster],
        prompts: Sequence[Prompt],
        seed: int,
    ) -> list[T]:
        size = max(1, len(prompts) // (_CHUNKS_PER_WORKER * self.workers))
        chunks = [prompts[i : i + size] for i in range(0, len(prompts), size)]
        shared = ray.put(list(forecasters))
        task = ray.remote(num_cpus=1)(_one_thread)
        pending = [
            task.remote(function, shared, self._market, chunk, self._data.competition, self._data.rules, seed)
            for chunk in chunks
        ]
        sizes = dict(zip(pending, map(len, chunks), strict=True))
        self._count(0, len(prompts))
        try:
            while sizes:
                for ready in ray.wait(list(sizes), num_returns=1)[0]:
                    del sizes[ready]
                self._count(len(prompts) - sum(sizes.values()), len(prompts))
            done = ray.get(pending)
            self.seconds += sum(spent for _, spent in done) / self.workers
            return [row for rows, _ in done for row in rows]
        except ray.exceptions.RayTaskError as error:
            if isinstance(error.cause, SynthcityError):
                raise error.cause from None  # one sentence, not Ray's account of it
            raise


def _one_thread(function: Callable[..., T], *arguments: object) -> tuple[T, float]:
    torch.set_num_threads(1)
    begin = time.monotonic()
    return function(*arguments), time.monotonic() - begin


def _score_chunk(
    forecasters: list[Forecaster],
    market: Market,
    prompts: list[Prompt],
    competition: Competition,
    rules: Rules,
    seed: int,
) -> list[_Found]:
    rows, lost = list[Row](), Counter[str]()
    for prompt in prompts:
        rows += score_prompt(forecasters, market, prompt, competition, rules, seed, lambda _, why: lost.update([why]))
    return [(rows, lost)]


def _terms_chunk(
    terms: Callable[..., T | None],
    forecasters: list[Forecaster],
    market: Market,
    prompts: list[Prompt],
    competition: Competition,
    rules: Rules,
    seed: int,
) -> list[tuple[Prompt, T]]:
    found = [(prompt, terms(forecasters, market, prompt, competition, rules, seed, _PAIR_PATHS)) for prompt in prompts]
    return [(prompt, one) for prompt, one in found if one is not None]


def _ask_chunk(
    forecasters: list[Forecaster],
    market: Market,
    prompts: list[Prompt],
    competition: Competition,
    rules: Rules,
    seed: int,
) -> list[None]:
    for prompt in prompts:
        for forecaster in forecasters:
            with suppress(DataError):  # there is no price to begin at
                paths = forecaster.simulate(market.as_of(prompt.start_time), prompt, seed=prompt_seed(seed, prompt))
                check_paths(paths, prompt, forecaster.name)
    return []


def _diagnose_chunk(
    forecasters: list[Forecaster],
    market: Market,
    prompts: list[Prompt],
    competition: Competition,
    rules: Rules,
    seed: int,
    *,
    rival: str,
) -> list[tuple[_Found, Diagnostics]]:
    first = forecasters[0].name
    watched = {entry.name: _Watched(entry) for entry in forecasters if entry.name in (first, rival)}
    everyone = [watched.get(entry.name, entry) for entry in forecasters]
    diagnostics = _diagnostics(competition, rival)
    rows, lost = list[Row](), Counter[str]()
    for prompt in prompts:
        [(scored, lost_here)] = _score_chunk(everyone, market, [prompt], competition, rules, seed)
        realised = realised_prices(market, prompt)
        if scored and realised is not None:
            diagnostics.add(prompt, watched[first].paths, realised, watched[rival].paths)
        rows += scored
        lost += lost_here
    return [((rows, lost), diagnostics)]


def _diagnostics(competition: Competition, rival: str) -> Diagnostics:
    length = competition.time_length
    levels, days = level_horizons(length), block_days(length)
    return Diagnostics(pit_horizons(length), levels=levels, block_days=days, rival=rival)


class _Watched(Named):
    """Keeps the last paths that a forecaster drew, so that they need not be drawn twice."""

    def __init__(self, forecaster: Forecaster) -> None:
        super().__init__(forecaster, forecaster.name)
        self.paths: Paths = np.empty((0, 0))

    def simulate(self, history: Prices, prompt: Prompt, *, seed: int | None = None) -> Paths:
        self.paths = super().simulate(history, prompt, seed=seed)
        return self.paths

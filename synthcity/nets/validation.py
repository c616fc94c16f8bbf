"""A network's score on the validation windows: for every candidate the same windows and the same random numbers.

What is drawn depends on asset and window alone, neither on the trial's seed nor on the rung. So the difference between
two networks, and between two rungs of one, is that of their laws on the same days with the same draws; what the draws
add to it is measured in docs/experiments.md. Assets draw apart: noise that they shared would not average out.

A batch holds windows of many times, and the later ones know what came after the earlier ones. Code that a language
model wrote might use that, so of its networks some batches are drawn again without the later windows, and other paths
of the earlier ones are refused.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from synthcity.authored.locked.forks import Misbehaved
from synthcity.durations import DAY
from synthcity.forecast.evaluation.interval import block_days
from synthcity.market.dataset import Dataset
from synthcity.market.times import quarter_of_day
from synthcity.nets.authored.walled_network import AnyNetwork, WalledNetwork
from synthcity.nets.loss import ScoreLoss
from synthcity.nets.network import Batch, make_batch
from synthcity.seeds import mix_seed
from synthcity.sn50.competitions import Competition

Block = list[float]  # a mean score (bp) and its weight

_BATCH = 64  # windows
_STEPS = 192 * 288  # drawn a window, whatever its horizon: 192 paths of a day ahead
_STRATA = 24  # paths come in multiples of it, for laws with two, three, four or eight regimes
_MOST_PATHS = 960
_AGAIN = 3  # batches that are drawn again
_SAME = 1e-4  # of log returns in units of the anchor


@dataclass(frozen=True, kw_only=True)
class WindowScores:
    """``by_asset`` holds mean fair scores; ``blocks`` the weighted mean and weight of each block of days, in time.

    ``by_interval`` is the weighted mean of each part of the score, which add up to it, ``by_hour`` that of the windows
    that begin within six hours (UTC), by the first of them. Blocks are the same for every network, and are those of
    :func:`synthcity.forecast.evaluation.interval.block_days`.
    """

    by_asset: dict[str, float]
    blocks: list[Block]
    by_interval: dict[str, float] = field(default_factory=dict)
    by_hour: dict[str, float] = field(default_factory=dict)

    @property
    def score(self) -> float:
        """Mean over windows as the network weighs them: an asset that trades more hours has more windows."""
        scores, weights = zip(*self.blocks, strict=True)
        return float(np.average(scores, weights=weights))


class Validation:
    """Scores networks on the validation windows of ``dataset``, on ``device``; another ``seed`` draws other noise."""

    def __init__(self, dataset: Dataset, competition: Competition, device: torch.device, *, seed: int = 0) -> None:
        self._dataset = dataset
        self._loss = ScoreLoss(competition)
        self._device = device
        self._seed = seed
        self._tables = [dataset.tables[asset] for asset in dataset.assets]
        self._horizons = [horizon.name for horizon in competition.horizons]
        self._block_seconds = block_days(competition.time_length) * DAY
        self.num_paths = min(_MOST_PATHS, max(1, _STEPS // dataset.spec.horizon // _STRATA) * _STRATA)

    def score(self, network: AnyNetwork) -> WindowScores:
        """Score ``network``, which is to be in evaluation mode."""
        dataset = self._dataset
        if isinstance(network, WalledNetwork):
            self._hold_to_the_past(network)
        by_asset, scores, parts, weights, times = {}, [], [], [], []
        for number, asset in enumerate(dataset.assets):
            starts = dataset.validation[asset]
            found, by_horizon = self._score_windows(network, number)
            by_asset[asset] = float(found.mean())
            scores.append(found)
            parts.append(by_horizon)
            weights.append(np.full(len(found), dataset.coefficients[asset]))
            times.append(dataset.tables[asset].time[starts])
        score, weight, time = np.concatenate(scores), np.concatenate(weights), np.concatenate(times)
        return WindowScores(
            by_asset=by_asset,
            blocks=_by_block(score, weight, time // self._block_seconds),
            by_interval=dict(zip(self._horizons, np.average(np.concatenate(parts), 0, weight).tolist(), strict=True)),
            by_hour=_by_hour(score, weight, time),
        )

    @torch.inference_mode()
    def _score_windows(self, network: AnyNetwork, asset: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the scores (windows,) and what each horizon adds to them (windows, horizons)."""
        totals, parts = [], []
        horizon = torch.tensor(self._loss.horizons(self._dataset.spec.horizon), device=self._device)
        for batch, seed in self._batches(network, asset):
            paths, weight_bk = self._draw(network, batch, seed)
            found = self._loss.per_term(paths * batch.anchor[:, None, None], batch.realised, weight_bk)
            totals.append(found.sum(-1))
            parts.append(found.new_zeros(len(found), len(self._horizons)).index_add_(1, horizon, found))
        return torch.cat(totals).double().cpu().numpy(), torch.cat(parts).double().cpu().numpy()

    def _batches(self, network: AnyNetwork, asset: int) -> Iterator[tuple[Batch, int]]:
        """Yield the windows of an asset in the order of time, and the seeds of their noise."""
        dataset = self._dataset
        starts = dataset.validation[dataset.assets[asset]]
        for chunk in np.array_split(starts, math.ceil(len(starts) / _BATCH)):
            ids = np.full(len(chunk), asset)
            batch = make_batch(self._tables, ids, chunk, network.config.steps, dataset.spec).to(self._device)
            yield batch, mix_seed(self._seed, asset, int(self._tables[asset].time[chunk[0]]))

    def _draw(self, network: AnyNetwork, batch: Batch, seed: int) -> tuple[Tensor, Tensor | None]:
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._device.type == "cuda"):
            law = network(batch)
        return law.sample_strata(self.num_paths, generator=torch.Generator(self._device).manual_seed(seed))

    def _hold_to_the_past(self, network: WalledNetwork) -> None:
        """Draw some batches again whose windows after one that is chosen by chance are copies of that one.

        Raises:
            Misbehaved: the paths of earlier windows are others than with the later ones in sight.
        """
        chance = np.random.default_rng()
        found = [each for asset in range(len(self._tables)) for each in self._batches(network, asset)]
        found = [(batch, seed) for batch, seed in found if len(batch.asset) > 1]
        for number in chance.permutation(len(found))[:_AGAIN]:
            batch, seed = found[number]
            last = int(chance.integers(len(batch.asset) - 1))
            seen = torch.arange(len(batch.asset)).clamp(max=last)
            alone = Batch(**{name: value[seen] for name, value in vars(batch).items()})
            (paths, _), (again, _) = (self._draw(network, each, seed) for each in (batch, alone))
            if not torch.allclose(paths[: last + 1], again[: last + 1], rtol=_SAME, atol=_SAME):
                raise Misbehaved(f"{network.config.label} answers otherwise where it sees what came later")


def _by_block(scores: NDArray[np.float64], weights: NDArray[np.float64], blocks: NDArray[np.int64]) -> list[Block]:
    _, block = np.unique(blocks, return_inverse=True)
    weight = np.bincount(block, weights=weights)
    mean = np.bincount(block, weights=weights * scores) / weight
    return [[float(m), float(w)] for m, w in zip(mean, weight, strict=True)]


def _by_hour(scores: NDArray[np.float64], weights: NDArray[np.float64], times: NDArray[np.int64]) -> dict[str, float]:
    hours, hour = np.unique([quarter_of_day(int(time)) for time in times], return_inverse=True)
    means = np.bincount(hour, weights=weights * scores) / np.bincount(hour, weights=weights)
    return dict(zip(map(str, hours), means.tolist(), strict=True))

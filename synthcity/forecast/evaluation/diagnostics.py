"""Calibration and fan charts of one forecaster, collected prompt by prompt so that no paths are kept.

A probability integral transform (PIT) says where in the forecast ensemble the realised change fell. Over
many prompts it is uniform when the forecaster is calibrated; a hump means too wide, a U too narrow, a slope a
biased direction (Gneiting, Balabdaoui and Raftery 2007).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NotRequired, TypedDict

import numpy as np
from numpy.typing import NDArray

from synthcity.durations import DAY, HOUR
from synthcity.forecast.evaluation.interval import Floats, ratio_interval
from synthcity.sn50.prompt import Prompt

NUM_BINS = 20
_COARSER = ((400, 20), (100, 10), (0, 5))
"""From so many realised changes on, so many bins: of few, twenty bins would show noise."""
QUANTILES = (0.01, 0.05, 0.25, 0.50, 0.75, 0.95, 0.99)
ALL = "all"
"""Key of the histogram pooled over assets, beside the assets' own."""

# Which prompt of an asset is shown, as the rank of its realised volatility among the asset's prompts.
FAN_CHOICES: Mapping[str, float] = {"calm": 0.10, "median": 0.50, "stormy": 0.90}


def pit_horizons(time_length: int) -> tuple[int, ...]:
    """Change horizons in seconds whose calibration is shown, for a prompt of ``time_length`` seconds."""
    return (300, 1800, 10800) if time_length >= DAY else (60, 300, 1800)


def level_horizons(time_length: int) -> tuple[int, ...]:
    """Seconds after the start at which the calibration of the price itself is shown: early, midway and at the end."""
    return (HOUR, 6 * HOUR, DAY) if time_length >= DAY else (300, 1200, 3600)


def pit_counts(paths: Floats, realised: Floats, steps: int, num_bins: int = NUM_BINS) -> Floats:
    """Histogram of the PIT of all changes over ``steps`` grid steps, one after the other from t0.

    A realised change that has ``b`` of N simulated ones below it and ``e`` equal to it spreads its unit of
    mass evenly over [b / (N + 1), (b + e + 1) / (N + 1)], so ties and a finite N leave a calibrated histogram
    exactly uniform in expectation (the non-randomised PIT of Czado, Gneiting and Held 2009, on ranks).

    Args:
        paths: simulated prices (N, T).
        realised: realised prices (T,), NaN where unknown; changes that touch a NaN are skipped.
        steps: length of a change in grid steps.
        num_bins: number of equal bins of [0, 1].

    Returns:
        Mass by bin (num_bins,); its sum is the number of changes used.
    """
    observed = realised[steps::steps] / realised[:-steps:steps] - 1.0
    known = np.isfinite(observed)
    simulated = (paths[:, steps::steps] / paths[:, :-steps:steps] - 1.0)[:, known]
    observed = observed[known]
    denominator = len(paths) + 1
    low = (simulated < observed).sum(axis=0) / denominator
    high = ((simulated <= observed).sum(axis=0) + 1) / denominator
    edges = np.linspace(0.0, 1.0, num_bins + 1)[:, None]
    below = np.clip((edges - low) / (high - low), 0.0, 1.0)
    counts: Floats = np.diff(below, axis=0).sum(axis=1)
    return counts


Subject = Literal["change", "level"]
"""What a PIT is of: each change over a horizon, or the price itself a horizon after the start."""


class PitRow(TypedDict):
    """A PIT histogram with its 95 % interval by bin; see :meth:`Diagnostics.result`."""

    asset: str
    horizon: int
    count: int
    density: list[float]
    low: list[float]
    high: list[float]


class Fan(TypedDict):
    """Quantiles of one forecast and the realised prices; see :meth:`Diagnostics.result`."""

    asset: str
    kind: str
    start_time: int
    time_increment: int
    volatility: float
    quantiles: dict[str, list[float | None]]
    rival: NotRequired[dict[str, list[float | None]]]
    realised: list[float | None]


class DiagnosticsTold(TypedDict):
    """What :meth:`Diagnostics.result` returns."""

    num_prompts: int
    pit: list[PitRow]
    levels: NotRequired[list[PitRow]]
    rival: NotRequired[str]
    fans: list[Fan]


class Diagnostics:
    """Collects calibration and fan charts of one forecaster over many prompts, and a rival's fans beside them.

    Parts collected in different processes are joined by ``merge``; the result does not depend on the order.
    """

    def __init__(
        self, horizons: Sequence[int], *, levels: Sequence[int] = (), block_days: int = 2, rival: str | None = None
    ) -> None:
        """Collect PITs of changes over ``horizons`` seconds, and of the price ``levels`` seconds after the start.

        ``rival`` names whose paths are told beside the forecaster's. Bands come from blocks of ``block_days`` whole
        days, see ``interval.block_days``.
        """
        if not horizons or min(horizons) <= 0:
            raise ValueError(f"horizons must be positive seconds, got {list(horizons)}")
        if block_days < 1:
            raise ValueError(f"block_days must be at least 1, got {block_days}")
        self.horizons, self.levels, self.rival = tuple(horizons), tuple(levels), rival
        self.block_days = block_days
        self._counts: dict[tuple[Subject, str, int, int], Floats] = {}  # (.., asset, horizon, block) -> mass by bin
        self._fans: dict[tuple[str, int], tuple[float, int, NDArray[np.float32]]] = {}

    def add(self, prompt: Prompt, paths: Floats, realised: Floats, rival: Floats | None = None) -> None:
        """Take in the forecast ``paths`` (N, T) and the ``realised`` prices (T,) of one prompt.

        ``rival``: the paths of the one that was named, (M, T).

        Raises:
            ValueError: shapes do not fit the prompt, a horizon is no multiple of its increment, the rival's paths
                are missing, or the prompt was added before.
        """
        points = prompt.num_steps + 1
        if paths.ndim != 2 or paths.shape[1] != points or realised.shape != (points,):
            raise ValueError(f"paths {paths.shape} and realised {realised.shape} do not have {points} points")
        if (rival is None) != (self.rival is None):
            raise ValueError(f"the rival is {self.rival}, and its paths are {'missing' if rival is None else 'given'}")
        key = (prompt.asset, prompt.start_time)
        if key in self._fans:
            raise ValueError(f"the prompt {key} was added before")
        block = prompt.start_time // (DAY * self.block_days)
        for horizon in self.horizons:
            counts = pit_counts(paths, realised, _steps(horizon, prompt))
            self._count(("change", prompt.asset, horizon, block), counts)
        for horizon in self.levels:
            ends = [0, _steps(horizon, prompt)]  # known at the start, so the change since then is the price itself
            self._count(("level", prompt.asset, horizon, block), pit_counts(paths[:, ends], realised[ends], 1))
        rows = [np.quantile(drawn, QUANTILES, axis=0) for drawn in (paths, rival) if drawn is not None]
        fan = np.vstack([*rows, realised]).astype(np.float32)
        self._fans[key] = (_realised_volatility(realised), prompt.time_increment, fan)

    def merge(self, other: Diagnostics) -> None:
        """Take in what ``other`` collected from other prompts."""
        mine, others = ((d.horizons, d.levels, d.block_days, d.rival) for d in (self, other))
        if mine != others:
            raise ValueError(f"horizons, blocks or rivals differ: {mine} and {others}")
        shared = self._fans.keys() & other._fans.keys()
        if shared:
            raise ValueError(f"{len(shared)} prompts are in both parts, among them {min(shared)}")
        self._fans |= other._fans
        for key, counts in other._counts.items():
            self._count(key, counts)

    def result(self) -> DiagnosticsTold:
        """Return plain JSON data ``{"num_prompts", "pit", "levels", "rival", "fans"}``.

        ``pit`` is a list of ``{asset, horizon, count, density, low, high}``: ``density`` by bin is 1 where
        calibrated, ``low`` and ``high`` are its 95 % interval by bin, empty where there are too few blocks for one,
        ``count`` the number of changes, of which few have fewer bins. ``levels`` is the same of the price itself.
        ``fans`` is a list of ``{asset, kind, start_time, time_increment, volatility, quantiles, realised}``:
        a calm, a median and a stormy prompt of each asset; ``quantiles`` maps "0.05" to prices on the grid,
        ``realised`` holds None where no price was observed, ``volatility`` is per step, ``rival`` are the quantiles of
        the forecaster that is named so. ``levels`` and ``rival`` are left out where none were asked for.
        """
        assets = sorted({asset for asset, _ in self._fans})
        shown = [ALL, *assets] if len(assets) > 1 else assets
        told = DiagnosticsTold(
            num_prompts=len(self._fans),
            pit=[self._histogram("change", asset, horizon) for asset in shown for horizon in self.horizons],
            fans=[fan for asset in assets for fan in self._chosen_fans(asset)],
        )
        if self.levels:
            told["levels"] = [self._histogram("level", asset, horizon) for asset in shown for horizon in self.levels]
        if self.rival is not None:
            told["rival"] = self.rival
        return told

    def _count(self, key: tuple[Subject, str, int, int], counts: Floats) -> None:
        self._counts[key] = self._counts.get(key, np.zeros(NUM_BINS)) + counts

    def _histogram(self, subject: Subject, asset: str, horizon: int) -> PitRow:
        by_block: dict[int, Floats] = {}
        # sorted: float sums must not depend on the order in which parts were merged
        for (what, name, seconds, block), counts in sorted(self._counts.items(), key=lambda item: item[0]):
            if what == subject and seconds == horizon and asset in (ALL, name):
                by_block[block] = by_block.get(block, np.zeros(NUM_BINS)) + counts
        every = np.array([by_block[block] for block in sorted(by_block)])
        blocks = every[every.sum(axis=1) > 0]  # without those that have not a single known change
        total = blocks.sum()
        if total == 0:  # every realised change was missing
            return {"asset": asset, "horizon": horizon, "count": 0, "density": [], "low": [], "high": []}
        bins = next(bins for least, bins in _COARSER if total >= least - 0.5)
        blocks = blocks.reshape(len(blocks), bins, -1).sum(axis=2)
        low, high = (bins * bound for bound in ratio_interval(blocks.T, blocks.sum(axis=1)))
        known = bool(np.isfinite(low).all())
        return {
            "asset": asset,
            "horizon": horizon,
            "count": round(float(total)),
            "density": _rounded(bins * blocks.sum(axis=0) / total),
            "low": _rounded(np.maximum(low, 0.0)) if known else [],
            "high": _rounded(high) if known else [],
        }

    def _chosen_fans(self, asset: str) -> list[Fan]:
        # volatility decides and the start time breaks ties: the order of arrival does not matter
        ranked = sorted((fan[0], start) for (name, start), fan in self._fans.items() if name == asset)
        chosen: dict[int, str] = {}
        for kind, rank in FAN_CHOICES.items():
            chosen.setdefault(ranked[round(rank * (len(ranked) - 1))][1], kind)
        return [self._fan(asset, start, kind) for start, kind in chosen.items()]

    def _fan(self, asset: str, start: int, kind: str) -> Fan:
        volatility, increment, fan = self._fans[asset, start]
        told = Fan(
            asset=asset,
            kind=kind,
            start_time=start,
            time_increment=increment,
            volatility=volatility,
            quantiles=_quantiles(fan),
            realised=_prices(fan[-1]),
        )
        if self.rival is not None:
            told["rival"] = _quantiles(fan[len(QUANTILES) :])
        return told


def _steps(horizon: int, prompt: Prompt) -> int:
    steps, rest = divmod(horizon, prompt.time_increment)
    if rest or steps > prompt.num_steps:
        raise ValueError(f"a change of {horizon} s does not fit the grid of {prompt}")
    return steps


def _realised_volatility(realised: Floats) -> float:
    """Root mean square log return a step, 0 if fewer than two neighbouring prices are known."""
    returns = np.diff(np.log(realised))
    returns = returns[np.isfinite(returns)]
    return float(np.sqrt(np.mean(returns**2))) if len(returns) else 0.0


def _rounded(values: Floats) -> list[float]:
    return [round(float(value), 5) for value in values]


def _quantiles(rows: NDArray[np.float32]) -> dict[str, list[float | None]]:
    return {str(q): _prices(row) for q, row in zip(QUANTILES, rows, strict=False)}


def _prices(values: NDArray[np.float32]) -> list[float | None]:
    """Seven significant digits are all that float32 holds and more than a chart shows; NaN becomes None."""
    return [float(f"{value:.7g}") if np.isfinite(value) else None for value in values]

"""Do intervals hold the truth as often as they say, and how often is a lead called proven that is none?

::

    python -m benchmarks.coverage                  # every method on every law; three minutes on one core
    python -m benchmarks.coverage races            # a champion's race against its equal, looked at three times

A law draws the sums of blocks of days, (score of the challenger, score of the baseline), of two forecasters that are
equally good in the long run. What real blocks look like stands in docs/experiments.md.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri, stdtrit

from synthcity.forecast.evaluation.interval import ratio_interval
from synthcity.serve.settlement.challenge import ChallengeConfig

Floats = NDArray[np.float64]
Method = Callable[[Floats, Floats, float], tuple[Floats, Floats]]
"""Sums (histories, blocks) of challenger and baseline, and a confidence, to the bounds (histories,) of their ratio."""

BLOCKS = (8, 12, 16, 24, 30, 60)
_WARM_UP, _DRAWS = 20, 999


@dataclass(frozen=True, kw_only=True)
class Law:
    """How the blocks of two equals come about.

    Attributes:
        tails: degrees of freedom of a block's difference.
        memory: correlation of the differences of neighbouring blocks.
        skew: of a block's difference; positive where the challenger wins a little often and loses much seldom.
        level: spread of log levels, which differences grow with.
        spread: of a block's difference, in units of its level.
        uneven: "equal" blocks, "edges" of which the first and the last hold a third, or "any" from 4 to 22 prompts.
    """

    tails: float = np.inf
    memory: float = 0.0
    skew: float = 0.0
    level: float = 0.4
    uneven: str = "equal"
    spread: float = 0.01

    def draw(self, histories: int, blocks: int, rng: np.random.Generator, lead: float = 0.0) -> tuple[Floats, Floats]:
        """Return sums (histories, blocks) of the challenger, better by the fraction ``lead``, and of the baseline."""
        shape = (histories, blocks)
        chance = _remembering(histories, blocks, self.memory, rng)
        if self.skew:
            shapes = 4 / self.skew**2
            chance = np.sign(self.skew) * (rng.gamma(shapes, 1.0, shape) - shapes) / np.sqrt(shapes)
        if np.isfinite(self.tails):
            chance = chance / np.sqrt(rng.chisquare(self.tails, shape) / self.tails)
        size = np.ones(shape)
        if self.uneven == "any":
            size = rng.integers(4, 23, shape) / 13
        elif self.uneven == "edges":
            size[:, [0, -1]] = 0.3
        level = np.exp(self.level * _remembering(histories, blocks, 0.5, rng))
        baseline = size * level
        return baseline * (1 - lead) + self.spread * np.sqrt(size) * level * chance, baseline


LAWS = {
    "normal": Law(),
    "heavy tails": Law(tails=4.0),
    "heavier tails, wild levels": Law(tails=3.0, level=0.6),
    "uneven blocks": Law(uneven="any"),
    "cut blocks at both ends": Law(uneven="edges"),
    "memory 0.1": Law(memory=0.1),
    "memory 0.2": Law(memory=0.2),
    "all of these": Law(tails=4.0, memory=0.2, uneven="any"),
    "skewed, rare losses": Law(skew=1.0),
    "skewed, rare wins": Law(skew=-1.0),
}
"""Within what real blocks show; the promise is for these."""

BEYOND = {
    "memory 0.4": Law(memory=0.4),
    "very skewed, rare losses": Law(skew=2.0),
}
"""Beyond it: what the promise does not cover, and by how much it fails."""


def percentile(top: Floats, bottom: Floats, confidence: float) -> tuple[Floats, Floats]:
    """The plain percentile bootstrap."""
    counts = _resamples(top.shape[1])
    ratios = (top @ counts.T) / (bottom @ counts.T)
    low, high = np.quantile(ratios, _levels(confidence), axis=1)
    return low, high


def bias_corrected(top: Floats, bottom: Floats, confidence: float) -> tuple[Floats, Floats]:
    """BCa (Efron 1987), its acceleration from the jackknife."""
    counts = _resamples(top.shape[1])
    ratios = np.sort((top @ counts.T) / (bottom @ counts.T), axis=1)
    ratio = top.sum(1) / bottom.sum(1)
    below = np.clip((ratios < ratio[:, None]).mean(1), 0.001, 0.999)
    left_out = (top.sum(1, keepdims=True) - top) / (bottom.sum(1, keepdims=True) - bottom)
    deviation = left_out.mean(1, keepdims=True) - left_out
    acceleration = (deviation**3).sum(1) / (6 * (deviation**2).sum(1) ** 1.5)
    ends = []
    for level in _levels(confidence):
        moved = ndtri(below) + ndtri(level)
        at = ndtr(ndtri(below) + moved / (1 - acceleration * moved))
        ends.append(ratios[np.arange(len(ratios)), np.clip(at * _DRAWS, 0, _DRAWS - 1).astype(int)])
    return ends[0], ends[1]


def studentised(top: Floats, bottom: Floats, confidence: float) -> tuple[Floats, Floats]:
    """The bootstrap of t statistics (Hall 1988)."""
    counts = _resamples(top.shape[1])
    blocks = top.shape[1]
    drawn = (bottom @ counts.T).clip(1e-300)
    ratios = (top @ counts.T) / drawn
    squares = (top**2 @ counts.T) - 2 * ratios * ((top * bottom) @ counts.T) + ratios**2 * (bottom**2 @ counts.T)
    errors = np.sqrt(np.maximum(squares, 1e-300) * blocks / (blocks - 1)) / drawn
    ratio, error = _jackknife(top, bottom)
    low, high = np.quantile((ratios - ratio[:, None]) / errors, _levels(confidence), axis=1)
    return ratio - high * error, ratio - low * error


def jackknife_t(top: Floats, bottom: Floats, confidence: float) -> tuple[Floats, Floats]:
    """The jackknife's error, with as many degrees of freedom as blocks less one, by Kish's effective number."""
    ratio, error = _jackknife(top, bottom)
    reach = stdtrit(bottom.sum(1) ** 2 / (bottom**2).sum(1) - 1, (1 + confidence) / 2)
    return ratio - reach * error, ratio + reach * error


def calibrated(top: Floats, bottom: Floats, confidence: float) -> tuple[Floats, Floats]:
    """What every verdict uses."""
    return ratio_interval(top, bottom, confidence=confidence)


METHODS: dict[str, Method] = {
    "percentile": percentile,
    "BCa": bias_corrected,
    "bootstrap t": studentised,
    "jackknife t": jackknife_t,
    "calibrated": calibrated,
}


def coverage(
    method: Method, law: Law, blocks: int, *, histories: int, confidence: float = 0.95, seed: int = 0
) -> tuple[float, float, float]:
    """Return how often the interval holds the truth, how often it proves an equal better, and its median width."""
    rng = np.random.default_rng([seed, blocks])
    held, proven, widths = 0, 0, []
    for part in _parts(histories):
        low, high = method(*law.draw(part, blocks, rng), confidence)
        held += int(((low <= 1) & (high >= 1)).sum())
        proven += int((high < 1).sum())
        widths.append(high - low)
    return held / histories, proven / histories, float(np.median(np.concatenate(widths)))


def promoted(
    law: Law, config: ChallengeConfig, *, histories: int, lead: float = 0.0, method: Method = calibrated, seed: int = 0
) -> float:
    """Return the share of races that end with a promotion of a challenger better by the fraction ``lead``."""
    top, bottom = law.draw(histories, config.looks[-1], np.random.default_rng(seed), lead)
    is_over, is_promoted = np.zeros(histories, dtype=bool), np.zeros(histories, dtype=bool)
    for look in config.looks:
        low, high = method(top[:, :look], bottom[:, :look], config.confidence)
        is_promoted |= ~is_over & (high < 1)
        is_over |= (high < 1) | (low > 1)
    return float(is_promoted.mean())


def _table(histories: int) -> None:
    print("| blocks | method | " + " | ".join([*LAWS, *BEYOND]) + " | width |")
    print("|---" * (len(LAWS) + len(BEYOND) + 3) + "|")
    for blocks in BLOCKS:
        for name, method in METHODS.items():
            own = histories if name in ("jackknife t", "calibrated") else histories // 5
            found = [coverage(method, law, blocks, histories=own) for law in (LAWS | BEYOND).values()]
            cells = [f"{100 * held:.1f} / {100 * proven:.1f}" for held, proven, _ in found]
            print(f"| {blocks} | {name} | " + " | ".join(cells) + f" | {found[0][2]:.4f} |", flush=True)


def _races(histories: int) -> None:
    half = 0.5 * Law().spread
    print("| law | looks | interval | equals promoted | better by half a deviation promoted |")
    print("|---" * 5 + "|")
    for name, law in LAWS.items():
        for confidence in (0.95, 0.975, 0.99):
            config = ChallengeConfig(confidence=confidence)
            equal, better = (promoted(law, config, histories=histories, lead=lead) for lead in (0.0, half))
            looks = ", ".join(map(str, config.looks))
            print(f"| {name} | {looks} | {confidence:.1%} | {equal:.1%} | {better:.0%} |", flush=True)


def _remembering(histories: int, blocks: int, memory: float, rng: np.random.Generator) -> Floats:
    """Standard normal series (histories, blocks) whose neighbours have the correlation ``memory``."""
    fresh = rng.standard_normal((_WARM_UP + blocks, histories))
    for at in range(1, len(fresh)):
        fresh[at] = memory * fresh[at - 1] + np.sqrt(1 - memory**2) * fresh[at]
    return fresh[_WARM_UP:].T


def _resamples(blocks: int) -> Floats:
    """How often (draws, blocks) each block is drawn."""
    drawn = np.random.default_rng(blocks).multinomial(blocks, np.full(blocks, 1 / blocks), size=_DRAWS)
    return drawn.astype(np.float64)


def _levels(confidence: float) -> tuple[float, float]:
    return (1 - confidence) / 2, (1 + confidence) / 2


def _jackknife(top: Floats, bottom: Floats) -> tuple[Floats, Floats]:
    blocks = top.shape[1]
    left_out = (top.sum(1, keepdims=True) - top) / (bottom.sum(1, keepdims=True) - bottom)
    spread = ((left_out - left_out.mean(1, keepdims=True)) ** 2).sum(1)
    return top.sum(1) / bottom.sum(1), np.sqrt(spread * (blocks - 1) / blocks)


def _parts(histories: int) -> Iterator[int]:
    """Split so that 999 resamples of each history fit into memory."""
    for start in range(0, histories, 1000):
        yield min(1000, histories - start)


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", nargs="?", choices=("intervals", "races"), default="intervals")
    parser.add_argument("--histories", type=int, default=20_000, help="simulated histories behind each figure")
    options = parser.parse_args()
    (_races if options.what == "races" else _table)(options.histories)


if __name__ == "__main__":
    main()

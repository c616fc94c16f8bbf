"""How fast is ``score`` beside properscoring (with numba) on the same answer, one thread?

Run ``python benchmarks/scoring.py`` with the ``bench`` extra installed. Two races, repeats interleaved, medians:

- terms: both score the same ready (345, 1000) array of terms;
- paths: both start from the same 1,000 x 289 paths; properscoring gets the 345 terms from plain array slices.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"  # read once, when NumPy loads its BLAS
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import argparse
import time
from collections.abc import Callable

import numpy as np
import properscoring
from numpy.typing import NDArray

from synthcity.sn50 import scoring
from synthcity.sn50.competitions import get_competition

COMPETITION = get_competition("crypto-24h")


def simulated_answer(num_paths: int, seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Heavy-tailed random walks: paths (num_paths, 289) and one realised path (289,)."""
    changes = np.random.default_rng(seed).standard_t(4, (num_paths + 1, COMPETITION.num_points)) * 1e-3
    prices = 60_000 * np.exp(np.cumsum(changes, axis=1))
    return prices[1:], prices[0]


def quick_terms(paths: NDArray[np.float64], realised: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """Terms (345, N) and observations (345,) in basis points, built with as few passes as slices allow.

    A change is taken as the ratio of prices, since CRPS does not see a shift.
    """
    prices = np.ascontiguousarray(paths.T)
    ensemble, observed = np.empty((345, len(paths))), np.empty(345)
    row = 0
    for step in (1, 6, 36):
        sampled, truth = prices[::step], realised[::step]
        rows = slice(row, row + len(truth) - 1)
        np.divide(sampled[1:], sampled[:-1], out=ensemble[rows])
        observed[rows] = truth[1:] / truth[:-1]
        row = rows.stop
    ensemble[row], observed[row] = prices[-1] / realised[-1], 1.0
    return ensemble, observed


def race(contestants: dict[str, Callable[[], float]], repeats: int) -> dict[str, NDArray[np.float64]]:
    """Seconds (repeats,) of each contestant, one run of each in turn."""
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(repeats):
        for name, run in contestants.items():
            run()  # each finds its own data in the caches, not the other's
            start = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - start)
    return {name: np.array(times) for name, times in seconds.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=100)
    parser.add_argument("--paths", type=int, default=1000)
    options = parser.parse_args()
    paths, realised = simulated_answer(options.paths, seed=0)
    ensemble, observed = quick_terms(paths, realised)

    def theirs_from_paths() -> float:
        built, truth = quick_terms(paths, realised)
        return float(properscoring.crps_ensemble(truth, built).sum()) * 1e4

    races = {
        "terms": {
            "properscoring": lambda: float(properscoring.crps_ensemble(observed, ensemble).sum()) * 1e4,
            "synthcity": lambda: float(scoring.crps(ensemble, observed).sum()) * 1e4,
        },
        "paths": {
            "properscoring": theirs_from_paths,
            "synthcity": lambda: float(scoring.score(paths, realised, COMPETITION).total),
        },
    }
    for name, contestants in races.items():
        totals = {who: run() for who, run in contestants.items()}
        times = race(contestants, options.repeats)
        theirs, ours = times["properscoring"], times["synthcity"]
        difference = abs(totals["synthcity"] / totals["properscoring"] - 1)
        print(
            f"{name}: properscoring {np.median(theirs) * 1e3:.2f} ms, synthcity {np.median(ours) * 1e3:.2f} ms, "
            f"ratio {np.median(theirs / ours):.2f} (of the fastest runs {theirs.min() / ours.min():.2f}), "
            f"relative difference {difference:.1e}"
        )


if __name__ == "__main__":
    main()

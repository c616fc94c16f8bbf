"""A Gaussian process over the whole space: most expected improvement among children of the best and random networks.

What is told is as for TPE (``told``). Scores enter by the logarithm of their distance to the best, so that the model
tells good networks apart and a few terrible ones do not bend it. Improvement (Jones et al., 1998) is on the best that
the process itself expects, since the best score that was seen was partly luck. What runs, and what was proposed just
before, counts as having come to what is expected of it (Ginsbourger et al., 2010, "Kriging believer"). What the gate
found too large, too slow or broken counts as failed, or the process would propose its like until its arm is closed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import ndtr

from synthcity.errors import ConfigError
from synthcity.search.candidates.candidate import Config, Proposal
from synthcity.search.candidates.space import Flat, Space, canonical, draw, to_config
from synthcity.search.gate import near
from synthcity.search.journal.history import TrialHistory
from synthcity.search.proposers.refine import cross
from synthcity.search.proposers.surrogates.coordinates import Coordinates, Points, joined
from synthcity.search.proposers.surrogates.process import Process
from synthcity.search.proposers.surrogates.told import FAILURE_QUANTILE, told

_STARTUP_TRIALS = 10
_MOST_TOLD = 150  # the time of a fit grows with the third power
_DRAWN, _GENERATIONS, _CHILDREN, _PARENTS = 60, 5, 40, 5  # networks among which it chooses
_REFUSED, _MOST_REFUSED = (
    ("limit", "too slow", "size", "dry run"),
    50,
)  # stages of the gate, and the newest that are told
_FINEST = 0.05  # of the median's distance to the best: what lies closer differs by noise


class GPProposer:
    """Expected improvement under a Gaussian process with noise; draws at random until ten trials are told."""

    name = "gp"

    def __init__(self, space: Space) -> None:
        self._space = space
        self._place = Coordinates(space)

    def propose(self, count: int, history: TrialHistory, rng: np.random.Generator) -> list[Proposal]:
        """Return up to ``count`` networks, none of them as good as known."""
        known, scores, running = self._told(history)
        if len(scores) < _STARTUP_TRIALS:
            drawn = [self._space.sample(rng) for _ in range(count)]
            return [Proposal(config=config, rationale="drawn at random: too little is known") for config in drawn]
        refused = self._refused(history)
        known += [self._space.flatten(config) for config in refused]
        scores += [float(np.percentile(scores, FAILURE_QUANTILE))] * len(refused)
        process = Process.fit(self._place(known), logarithms(np.array(scores))).believing(self._place(running))
        pool = self._pool(process, [known[at] for at in np.argsort(scores, kind="stable")[:_PARENTS]], rng)
        points = self._place(pool)
        begun = [record.candidate.config for record in history.records] + refused
        proposals: list[Proposal] = []
        while len(proposals) < count:
            ranked = np.argsort(-_gains(process, points), kind="stable")
            best = next((int(at) for at in ranked if self._is_new(to_config(pool[at]), begun)), None)
            if best is None:
                break
            begun.append(to_config(pool[best]))
            proposals.append(Proposal(config=begun[-1], rationale="expected improvement under a Gaussian process"))
            if len(proposals) < count:
                process = process.believing([each[[best]] for each in points])
        return proposals

    def _pool(self, process: Process, parents: Sequence[Flat], rng: np.random.Generator) -> list[Flat]:
        """Return networks to choose from: drawn, and crossed from ``parents``, then from those of most gain so far."""
        pool = [self._space.walk(lambda parameter: draw(parameter, rng)) for _ in range(_DRAWN)]
        for _ in range(_GENERATIONS):
            for one, other in rng.integers(len(parents), size=(_CHILDREN, 2)):
                pool.append(cross(self._space, parents[one], parents[other], rng)[0])
            gains = _gains(process, self._place(pool))
            parents = [pool[at] for at in np.argsort(-gains, kind="stable")[:_PARENTS]]
        return pool

    def _is_new(self, config: Config, begun: Sequence[Config]) -> bool:
        return config not in begun and all(near(self._space, config, one) is None for one in begun)

    def _refused(self, history: TrialHistory) -> list[Config]:
        """Return what the gate found too large, too slow or broken, as far as it lies in the space."""
        found = []
        for rejection in history.rejections:
            try:
                if rejection.stage in _REFUSED:
                    config = canonical(rejection.config)  # as it was proposed, which may leave out defaults
                    self._space.flatten(config)
                    found.append(config)
            except (ConfigError, ValueError):
                continue
        return found[-_MOST_REFUSED:]

    def _told(self, history: TrialHistory) -> tuple[list[Flat], list[float], list[Flat]]:
        """Return the networks with a score, their scores, and those that run; none outside the space."""
        known: list[Flat] = []
        scores: list[float] = []
        running: list[Flat] = []
        for record, score in told(history, _MOST_TOLD):
            try:
                flat = self._space.flatten(record.candidate.config)
            except ValueError:
                continue
            if score is None:
                running.append(flat)
            else:
                known.append(flat)
                scores.append(score)
        return known, scores, running


def _gains(process: Process, points: Points) -> np.ndarray:
    known = len(process.values)
    mean, deviation = process.predict(joined(process.points, points))
    return improvement(mean[:known].min(), mean[known:], deviation[known:])


def logarithms(scores: np.ndarray) -> np.ndarray:
    """Return the logarithms of the scores' distances to the best (n,), mean 0 and deviation 1; zeros if all are equal.

    Example:
        >>> logarithms(np.array([5000.0, 5010.0, 5020.0, 9000.0])).round(2).tolist()
        [-1.17, -0.31, -0.1, 1.59]
    """
    behind = scores - scores.min()
    middle = float(np.median(behind)) or float(behind.max())
    if not middle:
        return np.zeros(len(scores))
    found = np.log(behind / middle + _FINEST)
    centred: np.ndarray = (found - found.mean()) / found.std()
    return centred


def improvement(best: float, mean: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    """Return by how much a normal value is expected to lie below ``best``, nothing where above.

    Example:
        >>> improvement(0.0, np.array([0.0, -5.0, 5.0]), np.ones(3)).round(3).tolist()
        [0.399, 5.0, 0.0]
    """
    lead = (best - mean) / deviation
    found: np.ndarray = deviation * (lead * ndtr(lead) + np.exp(-0.5 * lead * lead) / np.sqrt(2.0 * np.pi))
    return found

"""The mix of the finalists: few members, weights that lean towards equal parts, and what it gains on days it never saw.

Weights that fit the search's prompts best look better there than they are. So the gain over each member is measured by
weights that were fitted on the other folds in time, and again on fresh prompts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from synthcity.durations import DAY
from synthcity.forecast.evaluation.evidence import Estimate, Floats, paired
from synthcity.forecast.evaluation.interval import block_days
from synthcity.forecast.forecaster import Forecaster
from synthcity.forecast.weights import cross_fitted, fitted_weights, mean_terms
from synthcity.search.data import SearchData
from synthcity.search.finals.scoring import PairRow, Scorer
from synthcity.search.journal.events import MixTold
from synthcity.search.journal.recorder import Recorder

_FOLDS = 4  # in time


def fit_mix(
    recorder: Recorder, data: SearchData, scorer: Scorer, contenders: Mapping[str, Forecaster], *, seed: int
) -> None:
    """Fit the weights on the prompts of the search and tell them, with the cross-fitted gain over each contender."""
    told = recorder.last(MixTold)
    if len(contenders) < 2 or told is not None:
        return
    recorder.emit("stage", name="mix", message=f"fitting a mix of {len(contenders)} forecasters")
    names = list(contenders)
    rows = scorer.pair_terms(list(contenders.values()), data.validation_prompts(fresh=False), seed=seed)
    weights = fitted_weights(mean_terms([(row.terms, row.weight) for row in rows]))
    kept = [k for k in range(len(names)) if weights[k] > 0]
    found = gains(rows, names, block_days(data.competition.time_length))
    recorder.emit(
        "mix",
        members=[names[k] for k in kept],
        weights=[float(weights[k]) for k in kept],
        gains={name: [each.mean, each.error] for name, each in found.items()},
    )


def gains(rows: Sequence[PairRow], names: Sequence[str], days: int) -> dict[str, Estimate]:
    """Return the mix's difference to each member, minus is better; none where there are too few days for two folds."""
    starts = np.array([row.start for row in rows])
    _, block = np.unique(starts // (days * DAY), return_inverse=True)
    num_blocks = int(block.max()) + 1
    if num_blocks < 2:
        return {}
    fold = block * min(_FOLDS, num_blocks) // num_blocks
    scores = cross_fitted([(row.terms, row.weight) for row in rows], fold)
    weight = np.array([row.weight for row in rows])
    weight_b = np.bincount(block, weights=weight).astype(np.float64)

    def mean_b(column: int) -> Floats:
        found: Floats = np.bincount(block, weights=weight * scores[:, column]) / weight_b
        return found

    mix = mean_b(len(names))
    return {name: paired(mix[None], mean_b(k), weight_b)[0] for k, name in enumerate(names)}

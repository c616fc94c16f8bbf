"""Which choices moved the score: hyperparameter importance by Optuna's own evaluator.

PED-ANOVA (Watanabe, Bansal and Hutter, 2023) compares the distribution of a parameter among the best trials with that
among all; it needs no further package and copes with parameters that only some networks have. A network that was
trained again on another seed counts once, else the leaders would be all of the best by themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from synthcity.nets.config import RECIPE
from synthcity.search.candidates.space import Space
from synthcity.search.journal.record import FAILED, TrialRecord
from synthcity.search.journal.standings import whole_scores
from synthcity.search.proposers.surrogates.study import parameters_of
from synthcity.search.report.findings.parameters import varied

_FEWEST = 12  # trials; of fewer nothing can be said
_MOST = 10  # parameters shown
_BEST, _FEWEST_BEST = 0.1, 5  # part of the trials that are the best ones, and how many Optuna wants of them


class ImportanceRow(TypedDict):
    """One parameter's part of what moved the score, 0 to 1."""

    name: str
    importance: float


def importance_rows(records: Sequence[TrialRecord], max_blocks: int) -> list[ImportanceRow]:
    """Return the parameters that moved the score most, the first first; none where too few trials have a score."""
    import optuna

    whole = whole_scores(records)
    first = {record.candidate.hash: record for record in reversed(records) if record.status != FAILED}
    if len(whole) < _FEWEST:
        return []
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study, space = optuna.create_study(), Space.from_registry(max_blocks, RECIPE)
    for name, score in whole.items():  # each network once, and as if all had been trained alike
        if (found := parameters_of(space, first[name].candidate.config)) is not None:
            flat, distributions = found
            study.add_trial(optuna.create_trial(params=flat, distributions=distributions, value=score))
    if len(study.trials) < _FEWEST:
        return []
    names = varied([trial.params for trial in study.trials])
    if not names:
        return []
    best = max(_BEST, _FEWEST_BEST / len(study.trials))
    evaluator = optuna.importance.PedAnovaImportanceEvaluator(target_quantile=best)
    found_by = optuna.importance.get_param_importances(study, evaluator=evaluator, params=names)
    rows = [ImportanceRow(name=name, importance=float(value)) for name, value in found_by.items() if value > 0]
    return rows[:_MOST]

"""The finals within the time budget: measured, reserved for, and cut to what is left; every cut is told.

What comes last, the look at the test period, is what all the rest is for: it is never cut, so time for it is kept back
first, by what scoring cost so far. Then there are fewer finalists, fewer draws, and at last fewer networks are trained
again; one that is not goes into the winner as the search trained it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from synthcity.forecast.forecaster import Forecaster
from synthcity.forecast.quantise import DEFAULT_FACTOR
from synthcity.search.config import BudgetConfig
from synthcity.search.data import SearchData
from synthcity.search.journal.events import Baselines, Chosen
from synthcity.search.journal.history import TrialRecord
from synthcity.search.journal.recorder import Recorder
from synthcity.search.journal.surroundings import ForecastersTold, InputsTold
from synthcity.wording import duration

_SCORING_SHARE = 0.5  # of what is left that finalists may take before the rest is trained again and looked at
_MOST = 0.5  # of the time budget that is kept for the finals where their share is less
_SLACK = 1.5  # a machine is busier now and then
_PAIR_PATHS, _SCORE_PATHS = 250, 1000  # drawn for the mix, and for a score
_EARLIER_RUNG_PATHS = 96  # drawn for a rung that does not tell how many
_SCORED = 8  # forecasters that are scored on fresh prompts, about
_LOOKED_AT = 16  # in the look there are as many; but networks are mixes of several by then, and quantised


@dataclass(frozen=True)
class FinalsClock:
    """What is left of a run's time budget; without one there is any time and nothing is cut."""

    recorder: Recorder
    budget: BudgetConfig

    @property
    def left(self) -> float | None:
        """Seconds that are left, None without a budget; negative once it is used up."""
        return None if self.budget.time_budget is None else self.budget.time_budget - self.recorder.used_seconds()

    def affordable(self, records: Sequence[TrialRecord], workers: int) -> list[TrialRecord]:
        """Return as many of ``records``, best first, as there is time to score; at least one.

        Drawing is timed by each trial's own validation, which draws other numbers of paths for about as many prompts.
        """
        left = self.left
        kept = list(records)
        if left is None:
            return kept
        paths = _PAIR_PATHS + self.budget.final_seeds * _SCORE_PATHS
        seconds = [_seconds_per_path(record) * paths / workers for record in records]
        while len(kept) > 1 and sum(seconds[: len(kept)]) > _SCORING_SHARE * left:
            kept.pop()
        if len(kept) < len(records):
            self._cut(f"{len(kept)} of {len(records)} finalists were scored on fresh validation prompts")
        return kept

    def another_draw(self, cost: float, num_forecasters: int, num_prompts: int, num_test: int) -> bool:
        """Whether one more draw of all fits; ``cost``: seconds that scoring one forecaster on one prompt took."""
        left = self.left
        if left is None:
            return True
        return left > _SLACK * cost * (num_forecasters * num_prompts + _LOOKED_AT * num_test)

    def note_draws(self, done: int) -> None:
        """Tell of draws that were left out."""
        if done < self.budget.final_seeds:
            self._cut(f"{done} of {self.budget.final_seeds} draws stand behind each final score")

    def seconds_for_refit(self, num_test: int) -> float | None:
        """Return what may be spent on training again once time for the look is kept back, None for any time."""
        left, chosen = self.left, self.recorder.last(Chosen)
        if left is None:
            return None
        cost = chosen.get("seconds_per_score", 0.0) if chosen else 0.0
        return max(0.0, left - _SLACK * cost * _LOOKED_AT * num_test)

    def _cut(self, what: str) -> None:
        budget = duration(self.budget.time_budget or 0.0)
        self.recorder.emit("degraded", note=f"The finals were cut to the time budget of {budget}: {what}.", cut=True)


@dataclass(frozen=True)
class TrialsClock:
    """What is left of a run's time budget for trials and whatever goes on beside them."""

    recorder: Recorder
    budget: BudgetConfig
    data: SearchData

    @property
    def left(self) -> float | None:
        """Seconds that are left, None without a budget, 0 once what is kept for the finals begins."""
        if self.budget.time_budget is None:
            return None
        data = self.data
        prompts = (data.validation_prompts(fresh=False), data.validation_prompts(fresh=True), data.test_prompts())
        kept = reserve(self.recorder, self.budget, *map(len, prompts))
        return max(0.0, self.budget.time_budget - kept - self.recorder.used_seconds())

    def affords(self, cost: float) -> bool:
        """Whether half of what is left is enough for one more forecaster in the mix; answers take ``cost`` s each."""
        if self.budget.time_budget is None:
            return True
        data, more = self.data, _SCORE_PATHS / _PAIR_PATHS
        answers: float = 2 * len(data.validation_prompts(fresh=False))  # it is asked whether it answers all, then mixed
        answers += more * self.budget.final_seeds * len(data.validation_prompts(fresh=True))
        answers += more * (DEFAULT_FACTOR + 1) * len(data.test_prompts())
        return _SLACK * cost * answers < _SCORING_SHARE * (self.budget.time_budget - self.recorder.used_seconds())

    @property
    def grace(self) -> float:
        """Seconds that what has begun may take beyond that."""
        return (self.budget.time_budget or 0.0) * self.budget.finals_share / 4


def note_refit(recorder: Recorder, chosen: Collection[TrialRecord], refitted: Mapping[str, Forecaster]) -> None:
    """Tell of chosen networks that there was no time to train again."""
    missing = [record.id for record in chosen if record.id not in refitted]
    if missing:
        names = ", ".join(missing)
        recorder.emit(
            "degraded",
            note=f"The finals were cut to the time budget: {names} went into the winner as the search trained it, "
            "without the validation period.",
            cut=True,
        )


def reserve(recorder: Recorder, budget: BudgetConfig, num_search: int, num_finals: int, num_test: int) -> float:
    """Return the seconds of the time budget that trials may not take: the share that is set, or more where it must be.

    What learning the inputs of a library and asking its forecasters has taken is of that share, since it makes members
    of the finals; what the finals need at least is kept back all the same. A look asks a forecaster of the mix for
    quantised paths, hence many draws, and for plain ones.

    Args:
        recorder: of the run; knows how long the baselines and what the library keeps took on the prompts of the search.
        budget: has a time budget.
        num_search: prompts that the baselines were scored on.
        num_finals: fresh validation prompts.
        num_test: prompts of the test period.
    """
    whole = budget.time_budget or 0.0
    told = recorder.last(Baselines)
    cost = told.get("seconds", 0.0) / (len(told["scores"]) * num_search) if told else 0.0
    least = cost * _SCORE_PATHS / _PAIR_PATHS * (_LOOKED_AT * num_test + _SCORED * budget.final_seeds * num_finals)
    inputs, forecasters = recorder.last(InputsTold), recorder.last(ForecastersTold)
    learned = inputs.get("seconds", 0.0) if inputs else 0.0
    if forecasters:
        learned += forecasters["seconds"]
        least += forecasters["seconds"] / num_search * _SCORE_PATHS / _PAIR_PATHS * (DEFAULT_FACTOR + 1) * num_test
    return max(budget.finals_share * whole - learned, min(_SLACK * least, _MOST * whole))


def _seconds_per_path(record: TrialRecord) -> float:
    """Seconds that drawing and scoring one path of every validation window took in the last rung."""
    last = record.last
    return (
        0.0 if last is None else last.get("validation_seconds", 0.0) / last.get("validation_paths", _EARLIER_RUNG_PATHS)
    )

"""Who may propose next: shares earned by results, within floors and ceilings.

Discounted UCB1 (Garivier and Moulines, 2008) over the rank reward of each finished trial: the share of earlier
networks it beats, trained alike (``standings``), so units cancel and noise is tolerated, minus what it cost in worker
time and in money, refused proposals and failed questions included. This is insurance against a bad arm rather than a
gain: an arm that only wastes trials falls to its floor.

There is no state: every figure is a function of the history, with trials in the order of their admission, so that
a resumed search, or one whose workers were faster, chooses alike.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Collection, Mapping

from synthcity.search.arms import LLM
from synthcity.search.config import ArmConfig
from synthcity.search.journal.history import TrialHistory, TrialRecord
from synthcity.search.journal.standings import whole_scores

_DISCOUNT = 0.97
_EXPLORATION = 0.5
_COST_WEIGHT = 0.1  # a trial twice as long as the average loses a tenth of the reward's range
_USD = 0.05  # weighs as much as the worker time of an average trial
_WARM_UP = 10  # finished trials before rewards outrank the starting shares


class Portfolio:
    """Divides proposals among arms.

    ``cost`` charges worker time and money; leave it off where runs must repeat exactly. ``llm_ceiling`` bounds the part
    of all arms together that ask a language model.
    """

    def __init__(self, arms: Mapping[str, ArmConfig], *, cost: bool = True, llm_ceiling: float = 1.0) -> None:
        self._arms = dict(arms)
        self._llm_ceiling = llm_ceiling
        self._cost_weight = _COST_WEIGHT if cost else 0.0

    def choose(self, history: TrialHistory, open_arms: Collection[str]) -> str:
        """Return the arm that proposes next, one of ``open_arms``.

        Raises:
            ValueError: no arm is open.
        """
        names = [name for name in self._arms if name in open_arms]
        if not names:
            raise ValueError("no arm is open")
        counts = {name: self._admitted(history, name) for name in self._arms}
        total = sum(counts.values())
        starving = [name for name in names if counts[name] < math.floor(self._arms[name].floor * (total + 1))]
        if starving:
            return min(starving, key=lambda name: counts[name] - self._arms[name].floor * (total + 1))
        allowed = [name for name in names if self._has_room(name, counts)] or names
        if len(self._finished_sources(history)) < _WARM_UP:
            return max(allowed, key=lambda name: self._arms[name].share * (total + 1) - counts[name])
        bounds = self.bounds(history)
        return max(allowed, key=lambda name: bounds[name])

    def bounds(self, history: TrialHistory) -> dict[str, float]:
        """Return each arm's upper confidence bound; infinite while nothing of it has finished."""
        rewards = self.rewards(history)
        weights = [_DISCOUNT ** (len(rewards) - 1 - index) for index in range(len(rewards))]
        horizon = sum(weights)
        bounds = {}
        for arm in self._arms:
            mine = [(w, r) for w, (source, r) in zip(weights, rewards, strict=True) if source == arm]
            count = sum(weight for weight, _ in mine)
            if not count:
                bounds[arm] = math.inf
                continue
            mean = sum(weight * reward for weight, reward in mine) / count
            bounds[arm] = mean + _EXPLORATION * math.sqrt(math.log(max(horizon, 1.0)) / count)
        return bounds

    def rewards(self, history: TrialHistory) -> list[tuple[str, float]]:
        """Return (source, reward) of every finished trial of ``judged``; a failure earns 0."""
        finished, whole = judged(history), whole_scores(history.records)
        usd = {arm: self._usd(history, arm) for arm in self._arms}
        # rented machines differ in price: there money is what a trial costs, else the time of a worker
        is_rented = any(record.usd for record in finished)
        costs = [record.usd if is_rented else record.seconds for record in finished]
        mean_cost = sum(costs) / max(1, len(finished))
        rewards: list[tuple[str, float]] = []
        earlier: list[float] = []
        for record, cost in zip(finished, costs, strict=True):
            score, reward = None if record.score is None else whole[record.candidate.hash], 0.0
            if score is not None:
                reward = (len(earlier) - bisect.bisect_right(earlier, score)) / len(earlier) if earlier else 0.5
                bisect.insort(earlier, score)
            if mean_cost:
                reward -= self._cost_weight * cost / mean_cost
            reward -= self._cost_weight * usd.get(record.candidate.source, 0.0) / _USD
            rewards.append((record.candidate.source, reward))
        return rewards

    def _has_room(self, arm: str, counts: Mapping[str, int]) -> bool:
        total = sum(counts.values()) + 1
        if counts[arm] + 1 > math.ceil(self._arms[arm].ceiling * total):
            return False
        together = sum(count for name, count in counts.items() if name.startswith(LLM))
        return not arm.startswith(LLM) or together + 1 <= math.ceil(self._llm_ceiling * total)

    def _usd(self, history: TrialHistory, arm: str) -> float:
        """Return what one admitted candidate of the arm has cost in the mean, all that was in vain included."""
        spent = sum(record.candidate.usd for record in history.records if record.candidate.source == arm)
        spent += sum(rejection.usd for rejection in history.rejections if rejection.source == arm)
        spent += sum(answer.usd for answer in history.answers if answer.source == arm and not answer.proposals)
        return spent / max(1, self._admitted(history, arm))

    def _admitted(self, history: TrialHistory, arm: str) -> int:
        return sum(record.candidate.source == arm for record in history.records)

    def _finished_sources(self, history: TrialHistory) -> list[str]:
        return [r.candidate.source for r in history.finished if r.candidate.source in self._arms]


def judged(history: TrialHistory) -> list[TrialRecord]:
    """Return the finished trials that earn a reward, in the order of admission: a known network's next seed is none."""
    return [record for record in history.first_trainings if record.finished]

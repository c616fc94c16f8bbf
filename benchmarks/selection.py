"""Does a search find the better network, or the luckier one? A stand-in trainer with the noise that was measured.

Run ``python -m benchmarks.selection --searches 200``: searches of 28 trials, one worker, ten of them what the search
begins with. All networks are equally good but one, which a proposer finds and which is better by what is planted. The
rule of today (common draws, one training seed for all, leaders trained again, ``finals.ranking``) is the project's own
code; the rule before it (draws and training seeds of each trial's own, the best score on fresh prompts) is told here.
``nothing`` plants nothing: then the column says how often a search left what it began with for no reason.

The noise is that of crypto-24h (docs/experiments.md): what a training's seed does to all networks alike and to one of
them, day by day, and what the draws of validation add. Nothing is trained; a search takes a tenth of a second.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace
from unittest.mock import patch

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthcity.durations import DAY
from synthcity.forecast.evaluation.evidence import Floats, combined
from synthcity.search.arms import FIRST
from synthcity.search.candidates.candidate import Candidate
from synthcity.search.config import milestones
from synthcity.search.finals import ranking as ranking_room
from synthcity.search.finals.ranking import Ranking, beginner, rank
from synthcity.search.journal.check import check
from synthcity.search.journal.events import Event
from synthcity.search.journal.history import COMPLETED, STOPPED, TrialHistory, TrialRecord
from synthcity.search.proposers.stall import again
from synthcity.search.trials.halving import falls_behind, scores_at
from synthcity.search.trials.leaders import doubted
from synthcity.sn50.competitions import get_rules

Blocks = NDArray[np.bool_]
TRIALS, BEGIN, FINALISTS, RUNGS, REDUCTION = 28, 10, 4, 4, 3.0
BLOCKS, BLOCK_DAYS = 45, 2
LEVEL, SPREAD = 4700.0, 0.3  # bp, and of its logarithm from block to block


@dataclass(frozen=True, kw_only=True)
class Noise:
    """Standard deviations in percent of a score over ``BLOCKS``: of a seed for all networks, for one, and of draws.

    ``draws`` are those of a rung; ``final`` ones have 1,000 paths. ``days`` is a network's luck with the days, and
    ``spread`` what networks really differ by.
    """

    shared: float = 0.050
    own: float = 0.025
    draws: float = 0.010
    final: float = 0.0045
    days: float = 0.0
    spread: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Rule:
    """``today`` ranks, trains again and shares its seeds; before, nothing of it.

    ``apart``: of how many blocks which the search never sees, and the finals alone do; without it both see all.
    """

    name: str
    today: bool
    noise: Noise
    apart: Callable[[int], Blocks] | None = None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one search came to; ``told`` and ``true`` are the gains over what it began with, in percent."""

    found: bool  # the planted network was chosen
    left: bool  # one was chosen that the search did not begin with
    told: float = 0.0
    true: float = 0.0
    effect: float = 0.0  # of what was chosen; minus is better


TODAY = Rule(name="today", today=True, noise=Noise())
BEFORE = Rule(name="before", today=False, noise=Noise(draws=0.043))


class StandIn:
    """Scores of trainings, block by block (bp)."""

    def __init__(self, rule: Rule, planted: float, at: int, rng: np.random.Generator, blocks: int = BLOCKS) -> None:
        self._rule, self._planted, self._at, self._rng = rule, planted, at, rng
        self.level_b = LEVEL * np.exp(SPREAD * rng.standard_normal(blocks))
        self._seeds: dict[int, Floats] = {}
        self._networks: dict[int, tuple[float, Floats]] = {}  # effect, and luck with the days

    def trained(self, network: int, seed: int) -> Floats:
        """Return the true scores of one training of a network."""
        noise = self._rule.noise
        if not self._rule.today:
            seed = -1 - len(self._seeds)  # of each trial's own
        if seed not in self._seeds:
            self._seeds[seed] = self._drawn(noise.shared)
        percent = self.effect(network) + self._networks[network][1] + self._seeds[seed] + self._drawn(noise.own)
        return self.level_b * (1 + percent / 100)

    def effect(self, network: int) -> float:
        """Return by how many percent a network is worse than the rest."""
        if network not in self._networks:
            noise = self._rule.noise
            differs = noise.spread * self._rng.standard_normal() if noise.spread else 0.0
            luck = self._drawn(noise.days) if noise.days else np.zeros(len(self.level_b))
            self._networks[network] = (differs - (self._planted if network == self._at else 0.0), luck)
        return self._networks[network][0]

    def seen(self, true_b: Floats, *, final: bool = False) -> Floats:
        """Return what draws show of them."""
        noise = self._rule.noise
        return true_b * (1 + self._drawn(noise.final if final else noise.draws) / 100)

    def _drawn(self, percent: float) -> Floats:
        found: Floats = percent * np.sqrt(BLOCKS) * self._rng.standard_normal(len(self.level_b))
        return found


def quiet(rule: Rule) -> Rule:
    """Return the rule where training seeds are held equal and do nothing."""
    return replace(rule, noise=replace(rule.noise, shared=0.0, own=0.0))


def recovered(rule: Rule, planted: float, seed: int) -> bool:
    """Run one search; return whether the planted network is chosen, or, with nothing planted, a network found."""
    outcome = searched(rule, planted, seed)
    return outcome.found if planted else outcome.left


def searched(rule: Rule, planted: float, seed: int, blocks: int = BLOCKS) -> Outcome:
    """Run one search over so many blocks of validation."""
    rng = np.random.default_rng(seed)
    at = int(rng.integers(BEGIN, 2 * BEGIN))
    standin = StandIn(rule, planted, at, rng, blocks)
    apart = np.zeros(blocks, bool) if rule.apart is None else rule.apart(blocks)
    history, true = TrialHistory(), dict[str, Floats]()
    number = 0  # of networks
    for index in range(TRIALS):
        leader = doubted(history) if rule.today and number >= BEGIN else None
        if leader is not None:
            candidate = again(leader, history)
        else:
            candidate = _candidate(index, number)
            number += 1
        network = int(str(candidate.hash))
        seeds = sum(record.candidate.hash == candidate.hash for record in history.records)
        true[candidate.id] = standin.trained(network, seeds)
        for event in _trial(candidate, standin.seen(true[candidate.id])[~apart], history):
            history = history.after(event)
    if not rule.today:
        network = int(history.trials[_best(history, true, standin)].candidate.hash)
        return Outcome(found=network == at, left=network >= BEGIN)
    ranking = _ranked(history, true, standin, apart)
    network, first = (int(history.trials[name].candidate.hash) for name in (ranking.best, ranking.incumbent))
    return Outcome(
        found=network == at,
        left=network >= BEGIN,
        told=ranking.estimates[ranking.best].mean,
        true=standin.effect(network) - standin.effect(first),
        effect=standin.effect(network),
    )


def _candidate(index: int, network: int) -> Candidate:
    config = {"blocks": [], "head": {"name": "gbm"}}
    source = FIRST if network < BEGIN else "random"
    return Candidate(index=index, source=source, config=config, hash=str(network))


def _trial(candidate: Candidate, seen_b: Floats, history: TrialHistory) -> Iterator[Event]:
    """The events of a trial, stopped by halving unless it trains a known network again."""
    name, status = candidate.id, COMPLETED
    yield check({"kind": "candidate", "time": 0.0, **candidate.to_dict()})
    known = candidate.parent is not None
    for rung in range(1, RUNGS + 1):
        blocks = seen_b + 20.0 * (RUNGS - rung)
        score = float(blocks.mean())
        told = {"score": score, "rung_score": score, "blocks": [[float(each), 1.0] for each in blocks]}
        yield check({"kind": "rung", "time": 0.0, "id": name, "rung": rung, "num_rungs": RUNGS, **told})
        others = scores_at(history, rung, without=name)
        if rung in milestones(RUNGS, REDUCTION) and not known and falls_behind(score, others, REDUCTION):
            status = STOPPED
            break
    yield check({"kind": "checkpoint", "time": 0.0, "id": name, "path": name})
    yield check({"kind": "trial_finished", "time": 0.0, "id": name, "status": status, "score": score})


def _finalists(history: TrialHistory) -> list[TrialRecord]:
    return history.saved[:FINALISTS]


def _ranked(history: TrialHistory, true: dict[str, Floats], standin: StandIn, apart: Blocks) -> Ranking:
    """The rule of today; what search and finals say is of different days where some are ``apart``."""
    first, best = beginner(history), _finalists(history)
    if first is not None and first not in best:
        best = [*best[:-1], first]
    own = np.flatnonzero(apart) if apart.any() else np.arange(len(apart))
    scores = pd.DataFrame(
        [
            {
                "asset": "BTC",
                "start_time": BLOCK_DAYS * DAY * int(block),
                "forecaster": record.id,
                "total": seen_b[block],
            }
            for record in best
            for seen_b in [standin.seen(true[record.id], final=True)]
            for block in own
        ]
    )
    names = [record.id for record in best]
    with patch.object(ranking_room, "both", combined) if apart.any() else nullcontext():
        return rank(history, names, scores, get_rules(), BLOCK_DAYS)


def _best(history: TrialHistory, true: dict[str, Floats], standin: StandIn) -> str:
    """The rule before: the best score on fresh prompts, drawn with the network's own paths for all alike."""
    return min(_finalists(history), key=lambda record: float(standin.seen(true[record.id], final=True).mean())).id


def main() -> None:
    """Print how often each rule recovers what was planted."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--searches", type=int, default=20)
    options = parser.parse_args()
    print(f"| planted | rule | chosen in {options.searches} searches |\n|---|---|---|")
    for planted, how, rules in (
        (0.10, "0.10 %", (BEFORE, TODAY)),
        (0.03, "0.03 %, no training noise", (quiet(BEFORE), quiet(TODAY))),
        (0.0, "nothing", (BEFORE, TODAY)),
    ):
        for rule in rules:
            count = sum(recovered(rule, planted, seed) for seed in range(options.searches))
            print(f"| {how} | {rule.name} | {count} |", flush=True)


if __name__ == "__main__":
    main()

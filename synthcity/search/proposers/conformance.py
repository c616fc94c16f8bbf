"""The contract of a proposer (see ``base``): one suite for what is packaged and what comes from outside.

A check takes a function that makes the proposer of a space, and raises ``conformance.Broken`` with one sentence.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from functools import cache

import numpy as np

from synthcity.conformance import require, suite
from synthcity.search.candidates.candidate import Candidate
from synthcity.search.candidates.space import Space, canonical, config_hash
from synthcity.search.journal.check import check
from synthcity.search.journal.events import Event
from synthcity.search.journal.history import TrialHistory
from synthcity.search.proposers.base import Proposer

Make = Callable[[Space], Proposer]
_SCORE = 5500.0  # basis points, as on crypto-24h


def proposals_are_valid_and_up_to_the_count(make: Make) -> None:
    """At most ``count`` different networks that can be built, each with a rationale."""
    for name, known in histories().items():
        proposals = make(space()).propose(3, known, np.random.default_rng(0))
        require(1 <= len(proposals) <= 3, f"asked for 3 proposals it gave {len(proposals)} ({name} history)")
        networks = {config_hash(canonical(proposal.config)) for proposal in proposals}
        require(len(networks) == len(proposals), f"it proposes a network twice ({name} history)")
        require(all(proposal.rationale for proposal in proposals), "a proposal has no rationale")


def proposals_follow_from_history_and_rng(make: Make) -> None:
    """The same history and ``rng`` give the same proposals, in another instance and after other calls too."""
    for name, known in histories().items():
        proposer = make(space())
        first = proposer.propose(2, known, np.random.default_rng(7))
        proposer.propose(1, histories()["empty"], np.random.default_rng(1))
        for one in (proposer, make(space())):
            again = one.propose(2, known, np.random.default_rng(7))
            require(again == first, f"the same history and rng give other proposals ({name} history)")


def the_history_stays_as_it_is(make: Make) -> None:
    """The history is read, never written."""
    for name, known in histories().items():
        before = copy.deepcopy(known)
        make(space()).propose(2, known, np.random.default_rng(0))
        require(known == before, f"it changed the {name} history")


def has_a_name(make: Make) -> None:
    """It has a name, which stands beside what it proposes."""
    name = make(space()).name
    require(isinstance(name, str) and name, f"its name is {name!r}")


CHECKS = suite(
    proposals_are_valid_and_up_to_the_count,
    proposals_follow_from_history_and_rng,
    the_history_stays_as_it_is,
    has_a_name,
)


def space() -> Space:
    """The space of all blocks and heads that there are now."""
    return Space.from_registry()


def histories() -> Mapping[str, TrialHistory]:
    """Histories by what is special about them; fresh ones, since a proposer may write into them."""
    return copy.deepcopy(_histories())


@cache
def _histories() -> Mapping[str, TrialHistory]:
    refused = {"source": "tpe", "stage": "size", "reason": "large", "config": {}}
    rejected = check({"kind": "rejected", "time": 0.0, **refused})
    mixed = [event for i in range(12) for event in _trial(i, "completed", _SCORE - i, _SCORE - 50 - i)]
    mixed += [*_trial(12, "stopped", 5600.0), *_trial(13, "failed", 5400.0), *_trial(14, "running", 5400.0)]
    return {
        "empty": TrialHistory(),
        "queued": TrialHistory.replay(_trial(0, "queued")),
        "failed": TrialHistory.replay([*_trial(0, "failed"), *_trial(1, "failed")]),
        "mixed": TrialHistory.replay([*mixed, *_trial(15, "queued"), rejected]),
    }


def _trial(index: int, status: str, *scores: float) -> list[Event]:
    """The events of one trial, told apart by its learning rate; "running" leaves it open, "queued" only proposes it."""
    rate = 5e-4 + 1e-4 * index
    config = canonical({"blocks": [{"name": "lstm"}], "head": {"name": "gbm"}, "training": {"learning_rate": rate}})
    candidate = Candidate(index=index, source="random", config=config, hash=config_hash(config))
    time, name = 100.0 * index, candidate.id
    events = [check({"kind": "candidate", "time": time, **candidate.to_dict()})]
    if status == "queued":
        return events
    events.append(check({"kind": "trial_started", "time": time + 1, "id": name, "from_rung": 0}))
    for rung, score in enumerate(scores, start=1):
        figures = {"score": score, "train_seconds": 10.0, "validation_seconds": 1.0, "parameters": 1000}
        told = {"id": name, "rung": rung, "num_rungs": 4, **figures}
        events.append(check({"kind": "rung", "time": time + 1 + rung, **told}))
    if status != "running":
        failure = {"class": "TrialFailed", "message": "the loss became nan", "traceback": ""}
        ended = {"failure": failure} if status == "failed" else {}
        events.append(check({"kind": "trial_finished", "time": time + 50, "id": name, "status": status, **ended}))
    return events

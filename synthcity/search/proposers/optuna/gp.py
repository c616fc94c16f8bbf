"""Optuna's Gaussian process over what all networks have: sizes, training, blocks by their place, and the head.

A Gaussian process needs one joint space, where a block here brings options of its own. So a place behind the last block
holds "no block", and options are no part of the process: a block or head gets those of the best network that has it,
else its defaults, and a network that is known but for them has one option or number moved to a neighbouring value. The
rest of what is told is as for TPE (``study``).
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution

from synthcity.nets.parameters import Parameter
from synthcity.search.candidates.candidate import Config, Proposal
from synthcity.search.candidates.space import Flat, Space, Value, neighbour, to_config
from synthcity.search.gate import NEAREST
from synthcity.search.journal.history import TrialHistory
from synthcity.search.proposers.optuna.study import OptunaProposer, distribution

_STARTUP_TRIALS = 10
_NO_BLOCK = "no block"
_TRIES = 20


class GPProposer(OptunaProposer):
    """Expected improvement under a Gaussian process with noise; draws at random until ten trials are told."""

    name = "gp"
    most_told = 150  # the time of a fit grows with the third power

    def propose(self, count: int, history: TrialHistory, rng: np.random.Generator) -> list[Proposal]:
        """Ask for ``count`` points; those asked for together know of each other as running."""
        study = self._study(history, int(rng.integers(2**32)))
        joint, best = _joint(self._space), self._options(history)
        known = [record.candidate.config for record in history.records]
        proposals = []
        for _ in range(count):
            trial = study.ask(joint)
            flat = self._new(self._whole(trial.params, best), known, rng)
            known.append(to_config(flat))
            proposals.append(Proposal(config=known[-1], rationale="expected improvement under a Gaussian process"))
        return proposals

    def _sampler(self, seed: int) -> optuna.samplers.BaseSampler:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return optuna.samplers.GPSampler(
                seed=seed,
                n_startup_trials=_STARTUP_TRIALS,
                independent_sampler=optuna.samplers.RandomSampler(seed=seed),
                warn_independent_sampling=False,
            )

    def _parameters(self, config: Config) -> tuple[Flat, dict[str, BaseDistribution]] | None:
        try:
            flat = self._space.flatten(config)
        except ValueError:
            return None
        told: Flat = {parameter.name: _place(parameter, flat[parameter.name]) for parameter in self._space.shared}
        told |= {slot: flat.get(slot, _NO_BLOCK) for slot in _slots(self._space)}
        return told, _joint(self._space)

    def _options(self, history: TrialHistory) -> dict[str, Config]:
        """Return the options of each block and head in the best network that has it."""
        found: dict[str, Config] = {}
        for record in history.ranked:
            for kind, part in _parts(record.candidate.config):
                found.setdefault(f"{kind}.{part['name']}", part)
        return found

    def _whole(self, params: Flat, best: Mapping[str, Config]) -> Flat:
        """Return the network of a point: its chain without the places that hold no block, options of the best."""
        named = [params[slot] for slot in _slots(self._space)[:-1]]
        chain = [name for name in named if name != _NO_BLOCK]

        def pick(parameter: Parameter) -> Value:
            slot, *rest = parameter.name.split(".")
            if parameter.name == "num_blocks":
                return len(chain)
            if slot == "head" or slot.removeprefix("block").isdigit():
                kind = "head" if slot == "head" else "block"
                name = params["head"] if slot == "head" else chain[int(slot.removeprefix("block"))]
                return best.get(f"{kind}.{name}", {}).get(rest[-1], parameter.default) if rest else name
            return _value(parameter, params[parameter.name])

        return self._space.walk(pick)

    def _new(self, flat: Flat, known: Sequence[Config], rng: np.random.Generator) -> Flat:
        """Return ``flat``, or a network one value away from it where it is as good as known."""
        movable: list[Parameter] = []

        def note(parameter: Parameter) -> Value:
            if parameter.name not in ("num_blocks", *_slots(self._space)) and _can_move(parameter):
                movable.append(parameter)
            return flat[parameter.name]

        self._space.walk(note)
        found = flat
        for _ in range(_TRIES if movable else 0):
            if not any(self._is_near(found, config) for config in known):
                break
            moved = movable[int(rng.integers(len(movable)))]
            found = {**flat, moved.name: neighbour(moved, flat[moved.name], rng)}
        return found

    def _is_near(self, flat: Flat, config: Config) -> bool:
        own = to_config(flat)
        if [(kind, part["name"]) for kind, part in _parts(own)] != [(k, part["name"]) for k, part in _parts(config)]:
            return False
        try:
            return self._space.distance(own, config) < NEAREST
        except ValueError:  # a hand-written candidate may lie outside the sampled space
            return False


def _slots(space: Space) -> list[str]:
    return [*(f"block{index}" for index in range(space.max_blocks)), "head"]


def _joint(space: Space) -> dict[str, BaseDistribution]:
    found: dict[str, BaseDistribution] = {
        each.name: IntDistribution(0, len(each.choices) - 1) if _is_ordered(each) else distribution(each)
        for each in space.shared
    }
    names = [(_NO_BLOCK, *space.blocks)] * space.max_blocks + [tuple(space.heads)]
    return found | {slot: CategoricalDistribution(each) for slot, each in zip(_slots(space), names, strict=True)}


def _is_ordered(parameter: Parameter) -> bool:
    """Whether it is a choice of numbers: then its place among them is told, since next to each other they are alike."""
    return parameter.kind == "choice" and not any(isinstance(choice, str) for choice in parameter.choices)


def _place(parameter: Parameter, value: Value) -> Value:
    return parameter.choices.index(value) if _is_ordered(parameter) else value


def _value(parameter: Parameter, told: Value) -> Value:
    return parameter.choices[told] if _is_ordered(parameter) else told


def _can_move(parameter: Parameter) -> bool:
    return parameter.kind == "bool" or len(parameter.choices) > 1 or parameter.low != parameter.high


def _parts(config: Config) -> Iterator[tuple[str, Config]]:
    for block in config["blocks"]:
        yield "block", block
    yield "head", config["head"]

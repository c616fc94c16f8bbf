"""Proposers by name. A new one is one file here and one line in ``PROPOSERS``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from synthcity.errors import ConfigError, unknown_name
from synthcity.search.candidates.space import Space
from synthcity.search.proposers.base import BackgroundProposer, Proposer
from synthcity.search.proposers.defaults import DefaultsProposer
from synthcity.search.proposers.llm import RULES, LLMProposer, Planner
from synthcity.search.proposers.optuna_tpe import TPEProposer
from synthcity.search.proposers.random import RandomProposer
from synthcity.search.proposers.refine import RefineProposer

__all__ = [
    "PROPOSERS",
    "BackgroundProposer",
    "DefaultsProposer",
    "LLMProposer",
    "Planner",
    "Proposer",
    "RandomProposer",
    "RefineProposer",
    "TPEProposer",
    "check_arms",
    "make_arms",
]

# the arms between which a portfolio divides the trials; the defaults come before them all
PROPOSERS: Mapping[str, Callable[[Space], Proposer]] = {
    "tpe": TPEProposer,
    "refine": RefineProposer,
    "random": RandomProposer,
}


def check_arms(names: Iterable[str]) -> None:
    """Refuse unknown arms.

    Raises:
        ConfigError: a name is in no ``PROPOSERS``; the text gives the nearest.
    """
    for name in names:
        if name not in PROPOSERS and name not in RULES:
            raise ConfigError(f"search.arms: {unknown_name('proposer', name, [*PROPOSERS, *RULES])}")


def make_arms(names: Iterable[str], space: Space, planner: Planner | None = None) -> dict[str, Proposer]:
    """Build the named proposers over ``space``; those that ask a language model need the ``planner``.

    Raises:
        ConfigError: a name is unknown.
        ValueError: a name needs the planner and there is none.
    """
    names = list(names)
    check_arms(names)
    arms: dict[str, Proposer] = {}
    for name in names:
        if name in PROPOSERS:
            arms[name] = PROPOSERS[name](space)
        elif planner is None:
            raise ValueError(f"the proposer {name} asks a language model and needs a planner")
        else:
            arms[name] = LLMProposer(name, space, planner)
    return arms

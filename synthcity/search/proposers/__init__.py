"""Proposers by name. A new one is one file here and one line in ``PROPOSERS``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from synthcity.errors import ConfigError, unknown_name
from synthcity.search.proposers.base import BackgroundProposer, Proposer
from synthcity.search.proposers.defaults import DefaultsProposer
from synthcity.search.proposers.optuna_tpe import TPEProposer
from synthcity.search.proposers.random import RandomProposer
from synthcity.search.proposers.refine import RefineProposer
from synthcity.search.space import Space

__all__ = [
    "PROPOSERS",
    "BackgroundProposer",
    "DefaultsProposer",
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
        if name not in PROPOSERS:
            raise ConfigError(f"search.arms: {unknown_name('proposer', name, PROPOSERS)}")


def make_arms(names: Iterable[str], space: Space) -> dict[str, Proposer]:
    """Build the named proposers over ``space``."""
    names = list(names)
    check_arms(names)
    return {name: PROPOSERS[name](space) for name in names}

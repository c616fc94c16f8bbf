"""Proposers by name: those of ``PROPOSERS``, of installed distributions, and ``module:Name``.

From outside comes a class, or a function, that makes a :class:`Proposer` of a :class:`Space`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from synthcity import plugins
from synthcity.errors import ConfigError, unknown_name
from synthcity.search.candidates.space import Space
from synthcity.search.proposers.base import BackgroundProposer, Proposer
from synthcity.search.proposers.defaults import DefaultsProposer
from synthcity.search.proposers.llm import RULES, LLMProposer, Planner
from synthcity.search.proposers.random import RandomProposer
from synthcity.search.proposers.refine import RefineProposer
from synthcity.search.proposers.surrogates.gp import GPProposer
from synthcity.search.proposers.surrogates.tpe import TPEProposer

__all__ = [
    "PROPOSERS",
    "BackgroundProposer",
    "DefaultsProposer",
    "GPProposer",
    "LLMProposer",
    "Planner",
    "Proposer",
    "RandomProposer",
    "RefineProposer",
    "TPEProposer",
    "check_arms",
    "make_arms",
]

KIND = "proposers"
# the arms between which a portfolio divides the trials; the defaults come before them all
PROPOSERS: Mapping[str, Callable[[Space], Proposer]] = {
    "tpe": TPEProposer,
    "gp": GPProposer,
    "refine": RefineProposer,
    "random": RandomProposer,
}


def check_arms(names: Iterable[str]) -> None:
    """Refuse unknown arms; import those that a person named ``module:Name``.

    Raises:
        ConfigError: a name is of no proposer, or it cannot be imported; the text gives the nearest.
    """
    known = [*plugins.merged(KIND, PROPOSERS), *RULES]
    for name in names:
        if name in known:
            continue
        if not plugins.is_reference(name):
            raise ConfigError(f"search.arms: {unknown_name('proposer', name, known)}")
        plugins.allow(name)


def make_arms(names: Iterable[str], space: Space, planner: Planner | None = None) -> dict[str, Proposer]:
    """Build the named proposers over ``space``; those that ask a language model need the ``planner``.

    Raises:
        ConfigError: a name is unknown, or what comes from outside makes no proposer.
        ValueError: a name needs the planner and there is none.
    """
    names = list(names)
    check_arms(names)
    arms: dict[str, Proposer] = {}
    for name in names:
        plugin = plugins.find(KIND, name)
        if name in PROPOSERS:
            arms[name] = PROPOSERS[name](space)
        elif plugin is not None:
            arms[name] = _external(plugin, space)
        elif planner is None:
            raise ValueError(f"the proposer {name} asks a language model and needs a planner")
        else:
            arms[name] = LLMProposer(name, space, planner)
    return arms


def _external(plugin: plugins.Plugin, space: Space) -> Proposer:
    make = plugins.load(plugin)
    if not callable(make):
        raise ConfigError(f"{plugin.reference} must be a class or function that makes a proposer, not {make!r}")
    try:
        made = make(space)
    except Exception as error:
        raise ConfigError(
            f"{plugin.reference} cannot be called with a space: {type(error).__name__}: {error}"
        ) from error
    if not callable(getattr(made, "propose", None)):
        raise ConfigError(f"{plugin.reference} makes no proposer: {type(made).__name__} lacks propose")
    proposer: Proposer = made
    return proposer

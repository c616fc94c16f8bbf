"""The one interface that baselines, networks and mixes implement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from synthcity.market.bars import History, Prices, Times
from synthcity.seeds import split_seed
from synthcity.sn50.prompt import Prompt

Paths = NDArray[np.float64]


@runtime_checkable
class Forecaster(Protocol):
    """Turns what is known at ``history.now`` into an ensemble of price paths.

    A subclass needs a ``name`` and ``simulate``; ``simulate_many`` then draws each prompt by itself.

    Example:
        >>> import numpy as np
        >>> import synthcity
        >>> class Flat(synthcity.Forecaster):
        ...     name = "flat"
        ...     def simulate(self, history, prompt, *, seed=None):
        ...         return np.full((prompt.num_simulations, prompt.num_steps + 1), 100.0)
        >>> prompt = synthcity.Prompt(asset="BTC", start_time="2025-11-01", num_simulations=3)
        >>> Flat().simulate(None, prompt).shape
        (3, 289)
    """

    @property
    def name(self) -> str:
        """Short name for tables."""

    def simulate(self, history: Prices, prompt: Prompt, *, seed: int | None = None) -> Paths:
        """Return prices (num_simulations, num_steps + 1), float64, finite and > 0; column 0 is ``start_time``.

        A DataFrame of bars of the prompt's asset (open, high, low, close, volume), indexed by the UTC time at which
        each opened, stands for a History, and so does a Series of closes, indexed by the UTC time of observation, for
        whoever reads nothing but closes; see ``History.of``.
        """

    def simulate_many(self, history: History, prompts: Sequence[Prompt], *, seed: int | None = None) -> list[Paths]:
        """One ensemble a prompt, drawn jointly where the forecaster knows dependence."""
        seeds = split_seed(seed, len(prompts))
        return [self.simulate(history, prompt, seed=own) for prompt, own in zip(prompts, seeds, strict=True)]


@runtime_checkable
class Quantising(Protocol):
    """A forecaster that knows its step marginals and so needs no further draws to quantise its paths."""

    def simulate_quantised(
        self, history: History, prompts: Sequence[Prompt], *, seed: int | None = None
    ) -> list[Paths]:
        """As ``Forecaster.simulate_many``, every step holding the quantiles (i + 1/2) / N of its marginal law."""


@runtime_checkable
class Bounded(Protocol):
    """A forecaster that was made for some prompts and not for others."""

    def covers(self, prompt: Prompt) -> bool:
        """Whether it was made for the prompt's asset, length and increment; the others raise ``NotCovered``."""


@runtime_checkable
class Composite(Protocol):
    """A forecaster made of others."""

    @property
    def parts(self) -> tuple[Forecaster, ...]:
        """The others, in order."""

    def with_parts(self, parts: Sequence[Forecaster]) -> Forecaster:
        """Return the same of as many others."""


def covers(forecaster: Forecaster, prompt: Prompt) -> bool:
    """Whether ``forecaster`` was made for such a prompt; whoever knows no bounds, such as a baseline, was."""
    return forecaster.covers(prompt) if isinstance(forecaster, Bounded) else True


def as_history(history: Prices, prompt: Prompt) -> History:
    """Wrap bars or closes of the prompt's asset; pass a History through."""
    return History.of(prompt.asset, history)


@dataclass(frozen=True, kw_only=True)
class Shifted(Prompt):
    """A prompt for the changes of steps that lie ``shift`` seconds later than its own grid.

    A forecaster of five-minute steps is asked from where its bars end, and a validator from any minute. Who knows what
    differs from minute to minute reads ``step_ends``; who does not answers by the grid.
    """

    shift: int


def shift_of(prompt: Prompt) -> int:
    """Return how many seconds later than the prompt's grid the scored steps lie."""
    return prompt.shift if isinstance(prompt, Shifted) else 0


def step_ends(prompt: Prompt) -> Times:
    """Return when the steps end that are scored, (num_steps,) unix seconds."""
    return prompt.grid[1:] + shift_of(prompt)

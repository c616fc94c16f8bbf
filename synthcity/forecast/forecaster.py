"""The one interface that baselines, networks and mixes implement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthcity.market.bars import History
from synthcity.sn50.prompt import Prompt

Paths = NDArray[np.float64]


@runtime_checkable
class Forecaster(Protocol):
    """Turns what is known at ``history.now`` into an ensemble of price paths."""

    @property
    def name(self) -> str:
        """Short name for tables."""

    def simulate(self, history: History | pd.Series, prompt: Prompt, *, seed: int | None = None) -> Paths:
        """Return prices (num_simulations, num_steps + 1), float64, finite and > 0; column 0 is ``start_time``.

        A pandas Series of the prompt's asset, indexed by the UTC time of observation, stands for a History.
        """

    def simulate_many(self, history: History, prompts: Sequence[Prompt], *, seed: int | None = None) -> list[Paths]:
        """One ensemble a prompt, drawn jointly where the forecaster knows dependence."""


@runtime_checkable
class Quantising(Protocol):
    """A forecaster that knows its step marginals and so needs no further draws to quantise its paths."""

    def simulate_quantised(
        self, history: History, prompts: Sequence[Prompt], *, seed: int | None = None
    ) -> list[Paths]:
        """As ``Forecaster.simulate_many``, every step holding the quantiles (i + 1/2) / N of its marginal law."""


def as_history(history: History | pd.Series, prompt: Prompt) -> History:
    """Wrap a Series of the prompt's asset; pass a History through."""
    return History.from_series(prompt.asset, history) if isinstance(history, pd.Series) else history

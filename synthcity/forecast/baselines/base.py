"""What all statistical baselines share: reading the history, turning log steps into prices, saving."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from synthcity.errors import BundleError
from synthcity.forecast.baselines.draws import Draws, Stratified
from synthcity.forecast.bundles.bundle import save_bundle
from synthcity.forecast.forecaster import Paths, as_history
from synthcity.market.bars import Bars, History, Prices
from synthcity.seeds import split_seed
from synthcity.sn50.prompt import Prompt

LOADER = "synthcity.forecast.baselines:from_bundle"


class Baseline(ABC):
    """A forecaster fitted afresh on the history of every prompt, from bars of the prompt's own increment.

    A subclass has a frozen dataclass as ``config`` and says in ``log_steps`` how a path moves.
    """

    name: ClassVar[str]
    config: Any

    @abstractmethod
    def log_steps(self, bars: Bars, prompt: Prompt, draws: Draws) -> NDArray[np.float64]:
        """Make log returns (num_simulations, num_steps), those of each step independent of all others.

        Raises:
            DataError: ``bars`` hold too few returns to fit on.
        """

    def simulate(self, history: Prices, prompt: Prompt, *, seed: int | None = None) -> Paths:
        """Return prices (num_simulations, num_steps + 1); see ``Forecaster.simulate``.

        Raises:
            DataError: the history is too short to fit on.
            ValueError: the history knows prices later than the prompt's start.
        """
        return self._simulate(as_history(history, prompt), prompt, Draws(seed))

    def simulate_many(self, history: History, prompts: Sequence[Prompt], *, seed: int | None = None) -> list[Paths]:
        """Draw each prompt by itself: a baseline knows no dependence between assets."""
        seeds = split_seed(seed, len(prompts))
        return [self._simulate(history, prompt, Draws(own)) for prompt, own in zip(prompts, seeds, strict=True)]

    def simulate_quantised(
        self, history: History, prompts: Sequence[Prompt], *, seed: int | None = None
    ) -> list[Paths]:
        """Draw as ``simulate_many``, but every step stratified; see ``Quantising``."""
        seeds = split_seed(seed, len(prompts))
        return [self._simulate(history, prompt, Stratified(own)) for prompt, own in zip(prompts, seeds, strict=True)]

    def _simulate(self, history: History, prompt: Prompt, draws: Draws) -> Paths:
        if history.now > prompt.start_time:
            raise ValueError(f"history ends at {history.now}, after the prompt's start {prompt.start_time}")
        price = history.last_price(prompt.asset, prompt.time_increment)
        steps = self._steps(history, prompt, draws)
        wait = (prompt.start_time - history.now) / prompt.time_increment
        return price_paths(price, steps, wait, draws)

    def _steps(self, history: History, prompt: Prompt, draws: Draws) -> NDArray[np.float64]:
        """``log_steps`` from what a history holds; for those that read more of it than bars."""
        return self.log_steps(history.bars(prompt.asset, prompt.time_increment), prompt, draws)

    def save(
        self,
        folder: Path,
        *,
        metrics: Mapping[str, object] | None = None,
        manifest: Mapping[str, object] | None = None,
    ) -> None:
        """Write a bundle that ``synthcity.load`` reads back.

        Raises:
            BundleError: a class of another package, which says by ``state`` and ``from_state`` what is to be kept.
        """
        if not type(self).__module__.startswith("synthcity."):
            raise BundleError(f"{type(self).__name__} is saved by synthcity.save, or by the name that it is found by")
        config = {"loader": LOADER, "name": self.name, "config": asdict(self.config)}
        save_bundle(folder, config, {}, origin=self, metrics=metrics, manifest=manifest)


def price_paths(price: float, steps: NDArray[np.float64], wait: float, draws: Draws) -> NDArray[np.float64]:
    """Accumulate log returns (N, T) from ``price`` to prices (N, T + 1).

    ``wait`` is the time from the last known price to t0 in steps; live it is not zero, and column 0 then
    carries a normal move of the first step's scale times the square root of ``wait``.
    """
    log_price = np.zeros((steps.shape[0], steps.shape[1] + 1))
    np.cumsum(steps, axis=1, out=log_price[:, 1:])
    if wait > 0:
        scale = np.sqrt(np.mean(steps[:, 0] ** 2) * wait)
        log_price += scale * draws.normal(len(steps), 1)
    return price * np.exp(log_price, out=log_price)

"""The best forecaster there can be on a simulated market: it knows the law and the latent state."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from synthcity.market.bars import Floats, History, Prices
from synthcity.market.calendar.minutes import over_steps
from synthcity.market.simulated.assets import SimulatedAsset, simulated_asset
from synthcity.market.simulated.law import (
    CELL,
    MINUTES_A_CELL,
    Cells,
    Streams,
    cell_sigma,
    draw_cells,
    draw_returns,
)
from synthcity.market.simulated.market import MarketState, SimulatedMarket
from synthcity.market.simulated.perpetuals import surprises
from synthcity.market.simulated.releases import release_multipliers
from synthcity.market.simulated.season import burst_multipliers
from synthcity.seeds import split_seed
from synthcity.sn50.prompt import Prompt


class SimulatedOracle:
    """A forecaster that draws from the true law given the true state at ``start_time``.

    It looks at no history: it is the floor that models are measured against, not a model. Prompts drawn with
    one seed and one start time are drawn jointly, factors and all.
    """

    name = "oracle"

    def __init__(self, market: SimulatedMarket) -> None:
        self._market = market

    def simulate(self, history: Prices, prompt: Prompt, *, seed: int | None = None) -> Floats:
        """Return prices (num_simulations, num_steps + 1); ``history`` is not used.

        Raises:
            ValueError: times are no whole minutes.
            ConfigError: the asset or the start time is not simulated.
        """
        step = CELL if prompt.start_time % CELL == prompt.time_increment % CELL == 0 else 60
        if prompt.start_time % 60 or prompt.time_increment % 60:
            raise ValueError(f"the simulated market moves by whole minutes, not as in {prompt}")
        asset = simulated_asset(prompt.asset)
        state = self._market.state(prompt.asset, prompt.start_time)
        (entropy,) = split_seed(seed, 1, bits=32)
        returns = self._draw(asset, state, prompt, step, Streams(entropy, prompt.start_time))
        levels = np.cumsum(returns, axis=1)[:, prompt.time_increment // step - 1 :: prompt.time_increment // step]
        paths = np.empty((prompt.num_simulations, prompt.num_steps + 1))
        paths[:, 0] = state.price
        paths[:, 1:] = state.price * np.exp(levels)
        return paths

    def simulate_many(self, history: History, prompts: Sequence[Prompt], *, seed: int | None = None) -> list[Floats]:
        """One ensemble a prompt; those that start together are drawn jointly."""
        (seed,) = split_seed(seed, 1, bits=32)
        return [self.simulate(history, prompt, seed=seed) for prompt in prompts]

    def _draw(self, asset: SimulatedAsset, state: MarketState, prompt: Prompt, step: int, streams: Streams) -> Floats:
        """Log returns (num_simulations, steps) of ``step`` seconds over the prompt's length."""
        config, num_paths = self._market.config, prompt.num_simulations
        # cell 0 holds the last minute before t0: its volatility and mixing are known, maybe still in force
        minute = (prompt.start_time - config.epoch) // 60 - 1
        opens = config.epoch + 60 * (minute - minute % MINUTES_A_CELL)
        ends = prompt.start_time + step * np.arange(1, prompt.time_length // step + 1, dtype=np.int64)
        cell_of_step = (ends - 1 - opens) // CELL
        num_new = int(cell_of_step[-1])
        new = draw_cells(config, asset, streams, (num_paths, num_new), fast=state.fast, slow=state.slow)
        cells = Cells(
            fast=_prepend(state.fast, new.fast),
            slow=_prepend(state.slow, new.slow),
            mixing=_prepend(state.mixing, new.mixing),
        )
        sigma = cell_sigma(config, asset, cells, opens + CELL * np.arange(num_new + 1, dtype=np.int64))
        bursts = partial(burst_multipliers, strength=config.bursts)
        minutes = over_steps(ends, step, bursts, partial(release_multipliers, config))
        returns = draw_returns(
            config, asset, streams, sigma[:, cell_of_step] * minutes, cells.mixing[:, cell_of_step], minutes=step // 60
        )
        return returns + surprises(config, streams.rng, asset, ends, step, returns.shape)


def _prepend(known: float, drawn: Floats) -> Floats:
    return np.concatenate([np.full((len(drawn), 1), known), drawn], axis=1)

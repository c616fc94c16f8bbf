"""One ensemble of paths from any forecaster, checked."""

from __future__ import annotations

from pathlib import Path

from synthcity.forecast.bundles.choose import choose
from synthcity.forecast.evaluation.backtest import check_paths
from synthcity.forecast.forecaster import Forecaster, Paths, as_history
from synthcity.market.bars import Prices
from synthcity.sn50.prompt import Prompt


def simulate(forecaster: Forecaster | str | Path, history: Prices, prompt: Prompt, *, seed: int | None = None) -> Paths:
    """Return prices (num_simulations, num_steps + 1) of a forecaster, or of the one that a name or bundle gives.

    ``history`` is what a market knew (``Market.as_of``), or what ``History.of`` takes: a Series of the asset's closes
    or a DataFrame of its bars.

    Raises:
        ConfigError: there is no forecaster of this name.
        DataError: the history is too short for it.
        ValueError: an argument is of another kind, or the paths are none that a validator takes.

    Example:
        >>> import synthcity
        >>> market = synthcity.SimulatedMarket().market(["BTC"])
        >>> prompt = synthcity.Prompt(asset="BTC", start_time="2025-03-01", num_simulations=10)
        >>> simulate("fhs", market.as_of(prompt.start_time), prompt, seed=1).shape
        (10, 289)
    """
    chosen = choose(forecaster) if isinstance(forecaster, str | Path) else forecaster
    if not isinstance(chosen, Forecaster):
        raise ValueError(f"{type(chosen).__name__} is no forecaster: it needs a name, simulate and simulate_many")
    if not isinstance(prompt, Prompt):
        raise ValueError(f"prompt must be a synthcity.Prompt, not {type(prompt).__name__}")
    paths = chosen.simulate(as_history(history, prompt), prompt, seed=seed)
    check_paths(paths, prompt, chosen.name)
    return paths

"""The same forecaster under another name, for comparing two that share theirs."""

from __future__ import annotations

from collections.abc import Sequence

from synthcity.forecast.forecaster import Forecaster, Paths, covers
from synthcity.market.bars import History, Prices
from synthcity.sn50.prompt import Prompt


class Named:
    """Passes every call through."""

    def __init__(self, forecaster: Forecaster, name: str) -> None:
        self.forecaster = forecaster
        self.name = name

    def simulate(self, history: Prices, prompt: Prompt, *, seed: int | None = None) -> Paths:
        """Return the forecaster's own paths."""
        return self.forecaster.simulate(history, prompt, seed=seed)

    def covers(self, prompt: Prompt) -> bool:
        """Whether the forecaster was made for the prompt."""
        return covers(self.forecaster, prompt)

    def simulate_many(self, history: History, prompts: Sequence[Prompt], *, seed: int | None = None) -> list[Paths]:
        """Return the forecaster's own joint paths."""
        return self.forecaster.simulate_many(history, prompts, seed=seed)

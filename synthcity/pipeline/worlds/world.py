"""Where a pipeline lives: whose prices, which clock, which Hub, whose miner. There are two, and prices say which it is.

Everything that differs between the real thing and its rehearsal is here, so that all else is the same code. Nobody
chooses: made-up prices bring the stand-ins, real ones the Hub and the miner of the settings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from synthcity.pipeline.config import Sweep
from synthcity.pipeline.state import State
from synthcity.publish.hub import Hub


@dataclass(frozen=True, kw_only=True)
class Fresh:
    """Prices that are up to date: they span ``[start, end)`` (unix s, whole days) for ``assets``.

    ``changes`` are what a sweep's section ``data`` has to say so that a search sees them.
    """

    start: int
    end: int
    assets: tuple[str, ...]
    changes: Mapping[str, object] = field(default_factory=dict)


class World(Protocol):
    """See above; ``mark`` is empty or says that all is a rehearsal.

    ``patience`` is how many seconds pass from one question how a race stands to the next.
    """

    mark: str
    patience: float

    def now(self, state: State) -> float:
        """Unix seconds."""

    def wait(self, until: float) -> None:
        """Return at ``until``, or at once where the clock is set ahead instead."""

    def fresh(self, sweep: Sweep, state: State) -> Fresh:
        """Bring the prices of a sweep up to date.

        Raises:
            SourceError: a venue does not answer, or its prices are late.
            DataError: there are too few.
        """

    def first(self, sweep: Sweep) -> Mapping[str, int]:
        """When the prices of each asset of a sweep begin, unix seconds, as far as that is known."""

    def store(self, sweep: Sweep, state: State) -> str:
        """Return a store that holds the prices of a sweep up to now."""

    def looked_until(self, sweep: Sweep) -> int | None:
        """End (unix s) of the last test period of these prices that anybody else looked at."""

    def hub(self) -> Hub:
        """Where to publish. Raises ``ConfigError`` where that needs what is not set."""

    def settle(self, state: State) -> None:
        """Let the miner's race go on to the present; a real miner does so by itself."""

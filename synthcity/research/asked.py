"""What was asked of which days before: a confirming fold wears out with every claim that is asked of it.

Each research writes one line into its library, before it asks. Days of real prices are the same days wherever they
come from; a world is another one with each seed.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from pathlib import Path

from synthcity.errors import ConfigError, DataError
from synthcity.lines import Event, append_line, read_records
from synthcity.research.config import ResearchConfig
from synthcity.schema import build

NAME = "asked.jsonl"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The claims of one research.

    Attributes:
        prices: "real", or which simulated ones.
        assets: names.
        start: of the confirming fold, unix seconds, and its ``end``.
        claims: so many.
        time: when, unix seconds.
    """

    prices: str
    assets: tuple[str, ...]
    start: int
    end: int
    claims: int
    time: float

    def shares_days_with(self, other: Asked) -> bool:
        """Whether both were asked of some prices that are the same."""
        same = self.prices == other.prices and not set(self.assets).isdisjoint(other.assets)
        return same and self.start < other.end and other.start < self.end


@dataclass(frozen=True, kw_only=True)
class Earlier:
    """How much had been asked of the same days; ``problems`` is a sentence for each line that cannot be read."""

    researches: int
    claims: int
    problems: tuple[str, ...] = ()


def asked_by(config: ResearchConfig, assets: tuple[str, ...], claims: int, *, simulated: bool = False) -> Asked:
    """Return the line of a research that is about to ask; ``simulated``: of prices of a store."""
    prices, fold = config.prices, config.folds.confirm
    stored = f"simulated, {prices.path}" if simulated else "real"
    named = f"world {prices.world.seed}" if prices.source == "world" else stored
    return Asked(prices=named, assets=assets, start=fold.start, end=fold.end, claims=claims, time=time.time())


def write_down(library: Path, asked: Asked) -> Earlier:
    """Return what was asked of the same days before, and add what is asked now.

    Raises:
        RunError: the library cannot be read or written.
    """
    found, problems = read_records(library / NAME, _read)
    same = [one for one in found if one.shares_days_with(asked)]
    append_line(library / NAME, asdict(asked))
    return Earlier(researches=len(same), claims=sum(one.claims for one in same), problems=tuple(problems))


def _read(event: Event) -> Asked:
    try:
        return build(Asked, event, where=NAME)
    except ConfigError as error:
        raise DataError(str(error)) from error

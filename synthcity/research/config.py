"""The research file: on which prices, which folds, how long and how strictly."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from synthcity.agents.config import LLMConfig
from synthcity.documents import apply_settings, read_yaml
from synthcity.durations import DAY, HOUR
from synthcity.errors import ConfigError
from synthcity.market.periods import Period, read_period, write_period
from synthcity.market.times import parse_time
from synthcity.schema import MAX_SEED, build, duration, key, local_path

BASELINES = ("har", "fhs", "fhs-plain")
_WIDEST = 0.25  # on one side of a claim's interval; what leaves more says nothing


@dataclass(frozen=True, kw_only=True)
class WorldConfig:
    """A simulated market with something planted in it, or nothing; only ``seed`` decides what.

    Attributes:
        seed: which world.
        start: its first day, ISO date (UTC).
        days: its length.
    """

    seed: int = key(0, low=0, high=MAX_SEED)
    start: str = "2025-01-01"
    days: int = key(200, low=30, high=3660)


@dataclass(frozen=True, kw_only=True)
class PricesConfig:
    """Which prices.

    Attributes:
        source: "world", a simulated market whose secret is told at the end; or "store".
        path: folder or address of the price store.
        venue: where the store has an asset from several.
        assets: null takes BTC, ETH and SOL of a world, and all of the competition that the store has.
        world: which world.
    """

    source: str = key("world", choices=("world", "store"))
    path: str | None = key(None, parse=local_path)
    venue: str | None = key(None)
    assets: tuple[str, ...] | None = key(None)
    world: WorldConfig = field(default_factory=WorldConfig)


@dataclass(frozen=True, kw_only=True)
class FoldsConfig:
    """Three periods in order: ``learn`` before all folds, ``find`` cut into ``parts``, ``confirm`` looked at last."""

    learn: Period = key(
        Period(start=parse_time("2025-03-05"), end=parse_time("2025-04-10")), parse=read_period, write=write_period
    )
    find: Period = key(
        Period(start=parse_time("2025-04-10"), end=parse_time("2025-06-09")), parse=read_period, write=write_period
    )
    confirm: Period = key(
        Period(start=parse_time("2025-06-09"), end=parse_time("2025-07-19")), parse=read_period, write=write_period
    )
    parts: int = key(3, low=1, high=24)

    def __post_init__(self) -> None:
        for (name, earlier), (other, later) in (
            (("learn", self.learn), ("find", self.find)),
            (("find", self.find), ("confirm", self.confirm)),
        ):
            if later.start < earlier.end:
                raise ConfigError(
                    f"folds.{other} ({later}) begins before folds.{name} ({earlier}) ends; they may not overlap"
                )

    @property
    def finding(self) -> dict[str, Period]:
        """The folds for finding, by name, oldest first."""
        edges = [self.find.start + (self.find.end - self.find.start) * n // self.parts for n in range(self.parts + 1)]
        return {f"find{n + 1}": Period(start=edges[n], end=edges[n + 1]) for n in range(self.parts)}

    @property
    def confirming(self) -> dict[str, Period]:
        """The one fold for confirming."""
        return {"confirm": self.confirm}


@dataclass(frozen=True, kw_only=True)
class ResearchConfig:
    """One research, complete.

    Attributes:
        competition: whose prompts and score.
        rules: of the subnet by date; null takes the newest.
        name: folder of the run; null takes "research", numbered where that is taken.
        output: where run folders go.
        library: where kept inputs and forecasters go.
        prices: which.
        folds: periods for learning, finding and confirming.
        every: time between two prompts.
        baseline: whose expected volatility an input must add to, and whose score a forecaster must beat.
        rounds: of each arm.
        trials: inputs that the control tests in a round; inputs and forecasters that a model has tested at most.
        time_budget: null for no limit.
        claims: the most that each arm asks of the confirming fold; ``level`` is spent over those it makes.
        level: chance that an arm keeps anything false, as far as the intervals hold what they say.
        knowledge_ends: up to when the language model may know prices, ISO date; null for unknown.
        seed: of the control's draws.
        llm: how a language model is asked, where one is set.
    """

    competition: str = "crypto-24h"
    rules: str | None = None
    name: str | None = key(None)
    output: str = key("runs", parse=local_path)
    library: str = key("runs/library", parse=local_path)
    prices: PricesConfig = field(default_factory=PricesConfig)
    folds: FoldsConfig = field(default_factory=FoldsConfig)
    every: float = duration(11.0 * HOUR, low=1, high=366 * DAY)
    baseline: str = key("har", choices=BASELINES)
    rounds: int = key(5, low=1, high=1000)
    trials: int = key(4, low=1, high=100)
    time_budget: float | None = duration(None, low=1, high=366 * DAY)
    claims: int = key(5, low=1, high=100)
    level: float = key(0.05, low=0.0001, high=_WIDEST)
    knowledge_ends: str | None = None
    seed: int = key(0, low=0, high=MAX_SEED)
    llm: LLMConfig = field(default_factory=LLMConfig)

    def __post_init__(self) -> None:
        if self.knowledge_ends is not None:
            parse_time(self.knowledge_ends)
        if self.prices.source == "store" and not self.prices.path:
            raise ConfigError("prices.path must name the price store when prices.source is 'store'")

    def confidence(self, claims: int) -> float:
        """Return that of a claim's two-sided interval: ``level`` over the claims that are made, on one side."""
        return 1 - 2 * self.level / claims


def load_config(path: Path | None, settings: Iterable[str] = ()) -> ResearchConfig:
    """Read a research file, or take the defaults; then ``KEY=VALUE`` settings.

    Raises:
        ConfigError: a key is unknown, or a value is wrong.
    """
    settings = list(settings)
    if path is None:
        return build(ResearchConfig, apply_settings({}, settings), where="the research")
    document = read_yaml(path, "research file")
    if not isinstance(document.data, Mapping):
        raise ConfigError(f"{path} holds no keys; see configs/research.yaml")
    with document.located(settings):
        return build(ResearchConfig, apply_settings(document.data, settings), where=str(path))

"""Several forecasters as one: each prompt goes to the one that was made for it.

A network answers one grid and the assets it was trained on; a miner is asked for all of them at one address. A
``Dispatch`` of the winners of several searches is a bundle like any other, so it is served, shadowed, promoted and
rolled out like one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from synthcity.errors import ConfigError, NotCovered
from synthcity.forecast.bundles.bundle import load_members, save_bundle
from synthcity.forecast.bundles.verified import select
from synthcity.forecast.forecaster import Forecaster, Paths, covers
from synthcity.market.bars import History, Prices
from synthcity.sn50.competitions import get_competition
from synthcity.sn50.prompt import Prompt

LOADER = "synthcity.forecast.dispatch:from_bundle"


@dataclass(frozen=True, kw_only=True)
class Route:
    """Prompts of these assets, ``time_length`` and ``time_increment`` in seconds."""

    assets: tuple[str, ...]
    time_length: int
    time_increment: int

    @classmethod
    def parse(cls, text: str) -> Route:
        """Read ``crypto-1h``, all assets of a competition, or ``crypto-1h:BTC,ETH``, some of them.

        Raises:
            ConfigError: there is no such competition, or it does not ask for such an asset.
        """
        name, _, listed = text.partition(":")
        try:
            competition = get_competition(name.strip())
        except ValueError as error:
            raise ConfigError(str(error)) from error
        assets = tuple(asset.strip() for asset in listed.split(",")) if listed else competition.assets
        foreign = sorted(set(assets) - set(competition.assets))
        if foreign:
            raise ConfigError(
                f"{text}: {competition.name} does not ask for {foreign[0]!r} but for {', '.join(competition.assets)}"
            )
        return cls(assets=assets, time_length=competition.time_length, time_increment=competition.time_increment)

    def covers(self, prompt: Prompt) -> bool:
        """Whether the prompt goes this way."""
        grid = (prompt.time_length, prompt.time_increment)
        return prompt.asset in self.assets and grid == (self.time_length, self.time_increment)


class Dispatch:
    """Asks ``forecasters[i]`` where ``routes[i]`` is the first that covers a prompt."""

    def __init__(self, routes: Sequence[Route], forecasters: Sequence[Forecaster], name: str = "dispatch") -> None:
        self.routes, self.forecasters, self.name = tuple(routes), tuple(forecasters), name
        if len(self.routes) != len(self.forecasters) or not self.routes:
            raise ValueError(f"{len(self.routes)} routes need as many forecasters, got {len(self.forecasters)}")

    @property
    def parts(self) -> tuple[Forecaster, ...]:
        """The forecasters."""
        return self.forecasters

    def with_parts(self, parts: Sequence[Forecaster]) -> Dispatch:
        """Return other forecasters on the same routes."""
        return Dispatch(self.routes, parts, name=self.name)

    def simulate(self, history: Prices, prompt: Prompt, *, seed: int | None = None) -> Paths:
        """Return the paths of the forecaster whose prompt it is.

        Raises:
            NotCovered: no route covers the prompt.
        """
        return self.forecasters[self._way(prompt)].simulate(history, prompt, seed=seed)

    def covers(self, prompt: Prompt) -> bool:
        """Whether a route covers the prompt, and the forecaster behind it was made for it."""
        way = next((i for i, route in enumerate(self.routes) if route.covers(prompt)), None)
        return way is not None and covers(self.forecasters[way], prompt)

    def simulate_many(self, history: History, prompts: Sequence[Prompt], *, seed: int | None = None) -> list[Paths]:
        """Draw the prompts of each forecaster jointly; those of different ones know nothing of each other.

        Raises:
            NotCovered: no route covers a prompt.
        """
        ways = [self._way(prompt) for prompt in prompts]
        drawn: dict[int, Paths] = {}
        for way in dict.fromkeys(ways):
            own = [i for i, other in enumerate(ways) if other == way]
            paths = self.forecasters[way].simulate_many(history, [prompts[i] for i in own], seed=seed)
            drawn.update(zip(own, paths, strict=True))
        return [drawn[i] for i in range(len(prompts))]

    def save(
        self,
        folder: Path,
        *,
        metrics: Mapping[str, object] | None = None,
        manifest: Mapping[str, object] | None = None,
    ) -> None:
        """Write a bundle that holds the forecasters' own bundles.

        Raises:
            BundleError: a forecaster cannot be saved.
        """
        config = {"loader": LOADER, "name": self.name, "routes": [asdict(route) for route in self.routes]}
        save_bundle(folder, config, {}, origin=self, members=self.forecasters, metrics=metrics, manifest=manifest)

    def _way(self, prompt: Prompt) -> int:
        for i, route in enumerate(self.routes):
            if route.covers(prompt):
                return i
        grid = f"{prompt.time_length} s in steps of {prompt.time_increment} s"
        raise NotCovered(f"no part of {self.name} forecasts {prompt.asset} over {grid}; combine one that does")


def from_bundle(folder: Path, config: Mapping[str, object], weights: Mapping[str, object]) -> Dispatch:
    """Rebuild from a bundle; see ``bundle.load``."""
    kept = select(_Kept, config)
    return Dispatch(kept.routes, load_members(folder, config), name=kept.name)


@dataclass(frozen=True, kw_only=True)
class _Kept:
    """What a bundle's config tells of a dispatch."""

    name: str
    routes: tuple[Route, ...]

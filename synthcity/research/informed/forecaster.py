"""``har`` with kept inputs: every step is as volatile as ``har`` expects times what the inputs say of it.

The multiplier is that of the test of inputs (``research.measuring``): a regression of the log of movement, drawn to
nothing, on covariates of the step and columns of the past by lead. Its mean is 1 for each asset on the prompts that it
was learned from, so the level stays that of ``har``. An asset that could not be learned from is answered as by ``har``.

What a language model wrote runs in locked children alone, here as in research, and travels in a bundle as code, which
is loaded only for who says that it is trusted.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from synthcity.durations import DAY, HOUR
from synthcity.errors import BundleError, ConfigError, NotCovered
from synthcity.forecast.baselines.draws import Draws
from synthcity.forecast.baselines.har import Har, HarConfig
from synthcity.forecast.bundles.bundle import save_bundle
from synthcity.forecast.bundles.verified import mapping, read_bundle, select
from synthcity.forecast.forecaster import step_ends
from synthcity.market.bars import Floats, History, Market, Times
from synthcity.research.informed.kept import FEATURE, LOOKBACK, Kept
from synthcity.research.inputs import InputRefused, Rows
from synthcity.research.known import Known, known_of
from synthcity.research.labbook import Origin
from synthcity.research.measuring.design import LEADS, Scale, lay_out
from synthcity.research.measuring.regression import predict
from synthcity.schema import build, key
from synthcity.sn50.prompt import Prompt

LOADER = "synthcity.research.informed.forecaster:from_bundle"
NAME = "har-inputs"
_SILENT = 4 * DAY  # since an asset's last bar: longer than any week-end
_log = logging.getLogger(__name__)
_ROOM = DAY  # beside the look-back, so that no gap costs its first rows
# by what was learned and the end of the first step; members of a mix look at the same history
_SAID: WeakKeyDictionary[History, dict[tuple[str, int], Floats]] = WeakKeyDictionary()


@dataclass(frozen=True, eq=False, kw_only=True)
class Learned:
    """An input with what was learned of it: scales of its columns and their coefficients (q + p by lead,)."""

    kept: Kept
    past: Scale
    future: Scale
    coefficients: Floats

    def log_multiplier(self, past: Floats, future: Floats) -> Floats:
        """Return (c, horizon) from what it says, (c, p) and (c, horizon, q).

        Raises:
            InputRefused: it says more or fewer columns than it said when it was learned.
        """
        if (past.shape[-1], future.shape[-1]) != (len(self.past.mean), len(self.future.mean)):
            raise InputRefused(f"{self.kept.name} says other columns than when it was learned")
        laid = lay_out(past, future, self.past, self.future)
        return np.asarray((laid @ self.coefficients.astype(np.float32)).astype(np.float64))


class Informed(Har):
    """``har`` times what inputs say; made for prompts of one increment and length."""

    name = NAME

    def __init__(
        self,
        inputs: Sequence[Learned],
        *,
        assets: Sequence[str],
        levels: Mapping[str, float],
        step: int,
        horizon: int,
        config: HarConfig | None = None,
    ) -> None:
        """Args: ``assets`` are told to inputs, in this order; ``levels`` divide the multipliers of those learned."""
        super().__init__(config)
        self.inputs, self.assets, self.levels = tuple(inputs), tuple(assets), dict(levels)
        self.step, self.horizon = step, horizon
        self._missing: dict[str, str] = {}

    def covers(self, prompt: Prompt) -> bool:
        """Whether the inputs were learned on such a grid."""
        return prompt.time_increment == self.step and prompt.num_steps == self.horizon

    def multiplier(self, history: History, prompt: Prompt) -> Floats:
        """Return by what the volatility of each coming step is multiplied, (num_steps,).

        Inputs are asked once about all assets, and not again by another member of a mix that learned the same.

        Raises:
            NotCovered: they were learned on another grid.
            InputRefused, Misbehaved: an input broke its contract.
        """
        if not self.covers(prompt):
            raise NotCovered(
                f"{self.name} was learned for {self.horizon} steps of {self.step} s, not for {prompt.num_steps} of "
                f"{prompt.time_increment} s"
            )
        if prompt.asset not in self.levels:
            return np.ones(prompt.num_steps)
        said, ends = _SAID.setdefault(history, {}), step_ends(prompt)
        key = (self.digest, int(ends[0]))
        if key not in said:
            recent = self._recent(history)
            known = known_of(recent, self.assets, self.step)
            said[key] = self.multipliers(recent, known, np.array([len(known) - 1]), ends[None])[0]
        return np.asarray(said[key][self.assets.index(prompt.asset)])

    def multipliers(self, market: Market, known: Known, rows: Rows, ends: Times) -> Floats:
        """Return the multipliers (rows, assets, steps) as of each row of the steps that end at ``ends`` (rows, steps).

        Raises:
            InputRefused, Misbehaved: an input broke its contract.
        """
        log = np.zeros((len(rows), len(self.assets), ends.shape[1]))
        for one in self.inputs:
            opened = one.kept.open(market, known)
            past, future = opened.past(known, rows), opened.future(known, rows, ends)
            for at in range(len(self.assets)):
                log[:, at] += one.log_multiplier(past[:, at], future[:, at])
        found = np.exp(clipped(log))
        for at, asset in enumerate(self.assets):
            found[:, at] = found[:, at] / self.levels[asset] if asset in self.levels else 1.0
        return np.asarray(found)

    @cached_property
    def digest(self) -> str:
        """The sha256 of all that was learned: equal for those who say the same."""
        found = hashlib.sha256(repr((self.assets, sorted(self.levels.items()), self.step, self.horizon)).encode())
        for one in self.inputs:
            found.update(one.kept.sha256.encode())
            for values in _arrays(one).values():
                found.update(np.asarray(values, dtype=np.float64).tobytes())
        return found.hexdigest()

    def _recent(self, history: History) -> Market:
        """What inputs are told of: bars of the increment, as far as the history has them and no further than needed.

        An asset that is not there, or no more, is one of gaps to them, and a warning says so: once until it changes.
        """
        rows = (LOOKBACK + _ROOM) // self.step
        bars = {}
        for asset in self.assets:
            if history.has(asset, self.step):
                own = history.bars(asset, self.step)
                bars[asset, self.step] = own.slice(max(0, len(own) - rows), len(own))
        missing = {}
        for asset in self.assets:
            last = bars.get((asset, self.step))
            if last is None or not len(last):
                missing[asset] = f"has no bars of {self.step} s"
            elif history.now - int(last.observed[-1]) > _SILENT:
                missing[asset] = f"has had no bar for {(history.now - int(last.observed[-1])) / HOUR:.0f} hours"
        if missing.keys() != self._missing.keys():
            told = "; ".join(f"{asset} {what}" for asset, what in missing.items())
            names = ", ".join(one.kept.name for one in self.inputs)
            _log.warning("%s is told of gaps: %s (%s)", self.name, told or "no more, all assets have bars", names)
            self._missing = missing
        return Market(bars)

    def _steps(self, history: History, prompt: Prompt, draws: Draws) -> NDArray[np.float64]:
        multiplier = self.multiplier(history, prompt)
        steps = super()._steps(history, prompt, draws)
        steps *= multiplier
        return steps

    def save(
        self,
        folder: Path,
        *,
        metrics: Mapping[str, object] | None = None,
        manifest: Mapping[str, object] | None = None,
    ) -> None:
        """Write a bundle; the texts of a language model lie in its ``code``."""
        config = {
            "loader": LOADER,
            "har": asdict(self.config),
            "assets": list(self.assets),
            "levels": self.levels,
            "step": self.step,
            "horizon": self.horizon,
            "inputs": [
                {"name": one.kept.name, "sha256": one.kept.sha256, "recipe": one.kept.origin.recipe}
                for one in self.inputs
            ],
        }
        code = [
            {"kind": FEATURE, "name": one.kept.name, "sha256": one.kept.sha256, "source": one.kept.origin.source}
            for one in self.inputs
            if one.kept.kind == FEATURE
        ]
        weights = {f"{n}.{part}": values for n, one in enumerate(self.inputs) for part, values in _arrays(one).items()}
        save_bundle(folder, config, weights, origin=self, code=code, metrics=metrics, manifest=manifest)


def clipped(log: Floats) -> Floats:
    """Bound the log multiplier of all inputs together, as in the test."""
    return predict(log[..., None], np.ones(1))


def _arrays(one: Learned) -> dict[str, Floats]:
    return {
        "coefficients": one.coefficients,
        "past.mean": one.past.mean,
        "past.spread": one.past.spread,
        "future.mean": one.future.mean,
        "future.spread": one.future.spread,
    }


@dataclass(frozen=True, kw_only=True)
class _KeptInput:
    name: str
    sha256: str
    recipe: Mapping[str, Any] | None = key(None, parse=lambda value: None if value is None else mapping(value))


@dataclass(frozen=True, kw_only=True)
class _KeptConfig:
    """What a bundle's config tells."""

    har: Mapping[str, object] = key(parse=mapping)
    assets: tuple[str, ...]
    levels: Mapping[str, float]
    step: int = key(low=1, high=DAY)
    horizon: int = key(low=1, high=100_000)
    inputs: tuple[_KeptInput, ...]


def from_bundle(folder: Path, config: Mapping[str, object], weights: Mapping[str, NDArray[np.generic]]) -> Informed:
    """Rebuild from a bundle; texts are read again, and run in locked children alone.

    Raises:
        BundleError: an input is not what it was saved as.
    """
    told = select(_KeptConfig, config)
    texts = iter(read_bundle(folder).sources)
    found = []
    for n, one in enumerate(told.inputs):
        try:
            origin = Origin(source=next(texts, None)) if one.recipe is None else Origin(recipe=one.recipe)
            kept = Kept.of(one.name, origin)
        except ConfigError as error:
            raise BundleError(f"{folder} holds an input that may not be used: {error}") from error
        if kept.sha256 != one.sha256:
            raise BundleError(f"the input {one.name} of {folder} differs from its hash; it is damaged or was edited")
        found.append(_learned(folder, kept, n, weights))
    if any(not 0 < level < np.inf for level in told.levels.values()) or not set(told.levels) <= set(told.assets):
        raise BundleError(f"{folder} has levels that are none: {dict(told.levels)}")
    return Informed(
        found,
        assets=told.assets,
        levels=told.levels,
        step=told.step,
        horizon=told.horizon,
        config=build(HarConfig, told.har),
    )


def _learned(folder: Path, kept: Kept, n: int, weights: Mapping[str, NDArray[np.generic]]) -> Learned:
    arrays = {
        part: np.asarray(weights.get(f"{n}.{part}", np.nan), dtype=np.float64)
        for part in ("coefficients", "past.mean", "past.spread", "future.mean", "future.spread")
    }
    past, future = len(np.atleast_1d(arrays["past.mean"])), len(np.atleast_1d(arrays["future.mean"]))
    shapes = {"coefficients": (future + past * len(LEADS),), "past.spread": (past,), "future.spread": (future,)}
    if not all(np.isfinite(each).all() and each.ndim == 1 for each in arrays.values()) or any(
        arrays[part].shape != shape for part, shape in shapes.items()
    ):
        raise BundleError(f"the weights of the input {kept.name} in {folder} have another form than such have")
    return Learned(
        kept=kept,
        past=Scale(mean=arrays["past.mean"], spread=arrays["past.spread"]),
        future=Scale(mean=arrays["future.mean"], spread=arrays["future.spread"]),
        coefficients=arrays["coefficients"],
    )

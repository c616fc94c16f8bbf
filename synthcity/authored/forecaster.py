"""Forecasters that a language model wrote, of the kind of filtered historical simulation: nothing is trained.

A file over NumPy alone that defines ::

    NAME = "plain_fhs"              # 3 to 32 characters
    LOOKBACK_DAYS = 30              # of history that it is given

    def forecast(history, asset, ends, noise):   # -> (paths, steps), log returns

``asset`` is a position in ``history.assets``, ``ends`` (steps,) are the unix seconds at which the scored steps end, and
``noise`` is all the randomness that there is, so that a seed decides. ``history.expected`` (steps,) is the volatility
that ``har`` expects, for a law of one's own around it. Every prompt is answered by a fresh locked child.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from synthcity.authored.declared import Declared, digest
from synthcity.authored.feature import WORKER, opening
from synthcity.authored.locked.forks import Misbehaved, shared_server
from synthcity.authored.locked.lock import SandboxLimits
from synthcity.authored.locked.wire import Message
from synthcity.authored.panel import Panel
from synthcity.authored.reading import Reader, Refused, parse, refuse
from synthcity.authored.vocabulary import NUMPY
from synthcity.durations import DAY
from synthcity.errors import BundleError, DataError
from synthcity.forecast.baselines.base import price_paths
from synthcity.forecast.baselines.draws import Draws
from synthcity.forecast.baselines.har import Har
from synthcity.forecast.bundles.bundle import save_bundle
from synthcity.forecast.bundles.verified import read_bundle
from synthcity.forecast.forecaster import Paths, as_history, step_ends
from synthcity.market.bars import Bars, History, Prices
from synthcity.seeds import split_seed
from synthcity.sn50.prompt import Prompt

LOADER = "synthcity.authored.forecaster:from_bundle"
KIND = "forecaster"
# a child answers one call, so its CPU time bounds that, however busy the machine is
LIMITS = SandboxLimits(cpu_seconds=10, wall_seconds=120.0, memory_bytes=512 << 20)
_ARGUMENTS = ("history", "asset", "ends", "noise")
_LARGEST = 1.0  # log return of a step
_ROOM = 2  # times the days asked for, so that gaps cost nothing


@dataclass(frozen=True, kw_only=True)
class ForecasterSource:
    """A text that was read: what it is called, and how much history it wants."""

    name: str
    about: str
    lookback_days: float
    source: str
    sha256: str

    @classmethod
    def of(cls, source: str) -> ForecasterSource:
        """Read a text; nothing of it runs.

        Raises:
            Refused: it says what it may not, or lacks what it must have; one line a finding.
        """
        tree = parse(source)
        declared = Declared(tree)
        functions = [*declared.arguments("forecast", _ARGUMENTS)]
        if "forecast" not in declared.functions:
            functions.append((1, f"the file defines forecast({', '.join(_ARGUMENTS)})"))
        refuse([*Reader(tree, NUMPY).findings(), *declared.findings(), *functions])
        return cls(
            name=declared.name,
            about=declared.about,
            lookback_days=declared.lookback_days,
            source=source,
            sha256=digest(source),
        )


class AuthoredForecaster:
    """A ``Forecaster`` whose code runs in locked children; it is told of all assets that there are.

    ``cpu_seconds`` is what its children have used.
    """

    def __init__(self, source: ForecasterSource, limits: SandboxLimits = LIMITS) -> None:
        self.source = source
        self._limits = limits
        self.cpu_seconds = 0.0

    @property
    def name(self) -> str:
        """As the file says."""
        return self.source.name

    def simulate(self, history: Prices, prompt: Prompt, *, seed: int | None = None) -> Paths:
        """Return prices (num_simulations, num_steps + 1); see ``Forecaster.simulate``.

        Raises:
            DataError: there is no price.
            Misbehaved: the code failed, hung, or answered with something else.
            ValueError: the history knows prices later than the prompt's start.
        """
        known = as_history(history, prompt)
        if known.now > prompt.start_time:
            raise ValueError(f"history ends at {known.now}, after the prompt's start {prompt.start_time}")
        price = known.last_price(prompt.asset, prompt.time_increment)
        own, draws = split_seed(seed, 2)
        steps = self._steps(known, prompt, int(own))
        wait = (prompt.start_time - known.now) / prompt.time_increment
        return price_paths(price, steps, wait, Draws(draws))

    def simulate_many(self, history: History, prompts: Sequence[Prompt], *, seed: int | None = None) -> list[Paths]:
        """Draw each prompt by itself."""
        seeds = split_seed(seed, len(prompts))
        return [self.simulate(history, prompt, seed=own) for prompt, own in zip(prompts, seeds, strict=True)]

    def save(
        self,
        folder: Path,
        *,
        metrics: Mapping[str, object] | None = None,
        manifest: Mapping[str, object] | None = None,
    ) -> None:
        """Write a bundle whose ``code`` is the text; ``synthcity.load`` asks whether it is trusted."""
        source = self.source
        code = {"kind": KIND, "name": source.name, "sha256": source.sha256, "source": source.source}
        save_bundle(folder, {"loader": LOADER}, {}, origin=self, code=[code], metrics=metrics, manifest=manifest)

    def _steps(self, history: History, prompt: Prompt, seed: int) -> Paths:
        source = self.source
        panel = self._panel(history, prompt)
        news = panel.between(None, history.now, source.lookback_days)
        values = {**news.values, "call": "forecast", "seed": seed, "paths": prompt.num_simulations}
        values["asset"] = panel.assets.index(prompt.asset)
        message = Message(values, {**news.arrays, "ends": step_ends(prompt), "expected": _expected(history, prompt)})
        shape = (prompt.num_simulations, prompt.num_steps)
        try:
            with shared_server(WORKER).fork(self._limits) as child:
                child.call(opening(source.source, panel, source.lookback_days))
                steps = child.call(message, {"answer": (shape, "float64")}).arrays["answer"]
            self.cpu_seconds += child.cpu_seconds
            if np.abs(steps).max() > _LARGEST:
                raise Misbehaved(f"a step moves by {np.abs(steps).max():.3g} in logs, more than {_LARGEST:g}")
        except Misbehaved as error:
            raise Misbehaved(f"the forecaster {self.name}: {error}") from None
        return steps

    def _panel(self, history: History, prompt: Prompt) -> Panel:
        """All assets that there are at the prompt's resolution, as far back as is asked for."""
        resolution = prompt.time_increment
        rows = round(_ROOM * self.source.lookback_days * DAY / resolution) + 1
        recent: dict[tuple[str, int], Bars] = {}
        for asset, each in history.keys:
            if each == resolution:
                bars = history.bars(asset, each)
                recent[asset, each] = bars.slice(max(0, len(bars) - rows), len(bars))
        return Panel.of(recent, sorted(asset for asset, _ in recent), resolution)


def _expected(history: History, prompt: Prompt) -> Paths:
    """What ``har`` expects, as ``authored.history.History`` tells it."""
    try:
        found = Har().volatility(history, prompt)
    except DataError:  # the asset rests, or its past is too short
        return np.full(prompt.num_steps, np.nan)
    return np.where(np.isfinite(found), found, np.nan)


def from_bundle(folder: Path, config: Mapping[str, object], weights: Mapping[str, object]) -> AuthoredForecaster:
    """Rebuild from a bundle; its code is read again, and runs in locked children alone.

    Raises:
        BundleError: the text is not what such a file may be.
    """
    try:
        texts = read_bundle(folder).sources or (str(config.get("source", "")),)  # the latter of an older bundle
        return AuthoredForecaster(ForecasterSource.of(texts[0]))
    except Refused as error:
        raise BundleError(f"{folder} holds a forecaster that may not be run: {error}") from error

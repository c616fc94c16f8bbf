"""A ledger with answers and the prices that settle them, and a bundle that not everybody may load."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np

from synthcity.forecast.baselines import baseline
from synthcity.forecast.baselines.base import LOADER
from synthcity.forecast.bundles.bundle import save_bundle
from synthcity.market.bars import Bars
from synthcity.market.store import Store
from synthcity.nets.authored.code import AuthoredCode
from synthcity.nets.authored.examples import BLOCK
from synthcity.serve.answering.answer_ledger import AnswerLedger, AnswerRecord
from synthcity.sn50.prompt import Prompt
from tests.market.factories import START, make_bars

MINUTES = make_bars(4 * 1440, resolution=60)
T0 = START + 1440 * 60


CODE = AuthoredCode.of(BLOCK)
"""What a language model wrote; whoever loads it in a test's own process calls ``forget(CODE)`` afterwards."""


def write_coded_bundle(folder: Path, name: str = "fhs") -> Path:
    """A baseline that brings ``CODE`` along."""
    config = {"loader": LOADER, "name": name, "config": asdict(baseline(name).config)}
    save_bundle(folder, config, {}, code=[CODE.to_dict()])
    return folder


def make_store(folder: Path, bars: Bars = MINUTES, asset: str = "BTC", venue: str = "binance") -> Store:
    store = Store(folder)
    store.append(asset, venue, 60, bars)
    return store


def hour(start_time: int = T0, asset: str = "BTC", num_simulations: int = 50) -> Prompt:
    return Prompt(
        asset=asset, start_time=start_time, time_increment=60, time_length=3600, num_simulations=num_simulations
    )


def make_paths(prompt: Prompt, *, seed: int = 0, sigma: float = 0.001, price: float = 100.0) -> np.ndarray:
    steps = np.random.default_rng(seed).normal(scale=sigma, size=(prompt.num_simulations, prompt.num_steps + 1))
    return price * np.exp(np.cumsum(steps, axis=1))


def record(ledger: AnswerLedger, prompt: Prompt, paths: np.ndarray | None = None, **changes: object) -> AnswerRecord:
    fields = {"asked_at": prompt.start_time - 40.0, "seed": 1, "bundle": "champion", "price_age": 12.0}
    return ledger.record(prompt, make_paths(prompt) if paths is None else paths, **(fields | changes))

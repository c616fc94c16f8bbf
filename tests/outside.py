"""Tiny distributions outside this repository, as somebody else's `pip install` would leave them."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

EMA = '''
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from synthcity.nets.blocks.base import BuildContext, ResidualBlock
from synthcity.nets.parameters import real


class Ema(ResidualBlock):
    """Exponential average of the past with a rate for every channel."""

    causal = True

    @dataclass(frozen=True, kw_only=True)
    class Config:
        dropout: float = real(0.0, low=0.0, high=0.5, doc="dropout on the residual branch")

    def __init__(self, context: BuildContext, config: Config) -> None:
        super().__init__(context, config.dropout)
        self.rate = nn.Parameter(torch.zeros(context.d_model))
        self.out = nn.Linear(context.d_model, context.d_model)

    def mix(self, x_bsd: Tensor) -> Tensor:
        keep = torch.sigmoid(self.rate)
        state, steps = torch.zeros_like(x_bsd[:, 0]), []
        for step in x_bsd.unbind(1):
            state = keep * state + (1 - keep) * step
            steps.append(state)
        return self.out(torch.stack(steps, dim=1))
'''

DRIFTLESS = '''
import numpy as np

from synthcity import Forecaster
from synthcity.forecast.forecaster import as_history


class Driftless(Forecaster):
    """A random walk with the volatility of the last day."""

    name = "driftless"

    def simulate(self, history, prompt, *, seed=None):
        history = as_history(history, prompt)
        if history.now > prompt.start_time:
            raise ValueError("the history ends after the prompt's start")
        close = history.bars(prompt.asset, prompt.time_increment).close[-289:]
        scale = np.diff(np.log(close)).std()
        draws = np.random.default_rng(seed).normal(0, scale, (prompt.num_simulations, prompt.num_steps + 1))
        draws[:, 0] = 0
        return close[-1] * np.exp(draws.cumsum(axis=1))
'''

NUDGE = '''
from synthcity.search.candidates.candidate import Proposal


class Nudge:
    """Draws at random, d_model the smallest."""

    name = "nudge"

    def __init__(self, space):
        self.space = space

    def propose(self, count, history, rng):
        return [Proposal(config={**self.space.sample(rng), "d_model": 16}, rationale="small") for _ in range(count)]
'''


def write_distribution(
    folder: Path,
    distribution: str,
    modules: Mapping[str, str],
    points: Mapping[str, Mapping[str, str]],
    version: str = "0.1",
) -> Path:
    """Write modules into ``folder`` and beside them what pip would write, entry points by kind and name."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in modules.items():
        (folder / f"{name}.py").write_text(textwrap.dedent(text), encoding="utf-8")
    info = folder / f"{distribution.replace('-', '_')}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
    (info / "top_level.txt").write_text("".join(f"{name}\n" for name in modules))
    groups = [
        f"[synthcity.{kind}]\n" + "".join(f"{name} = {value}\n" for name, value in named.items())
        for kind, named in points.items()
    ]
    (info / "entry_points.txt").write_text("\n".join(groups))
    return folder


@contextmanager
def on_path(folder: Path) -> Iterator[Path]:
    """Put a folder on the Python path of this process and its children; its modules are forgotten afterwards."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        patch.setenv("PYTHONPATH", str(folder), prepend=":")
        try:
            yield folder
        finally:
            for name in [name for name, module in sys.modules.items() if _lies_in(module, folder)]:
                del sys.modules[name]


def _lies_in(module: object, folder: Path) -> bool:
    return str(getattr(module, "__file__", None) or "").startswith(f"{folder}/")

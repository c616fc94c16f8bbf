"""Does every head learn a law that is known? A GARCH(1,1) with Student-t shocks, and its oracle as the floor.

Run ``python benchmarks/learning.py``: each head is trained on the score of six hours of five-minute steps, no block
before it, and compared on windows after the training period, by the same fair CRPS, with

- the oracle: paths of the true process from its true state, which no forecast can beat on average;
- the constant: independent draws of all training returns, right in the long run and blind to the present.

A ratio of 1 is the truth. ``learning_table`` gives the same as rows.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from synthcity.market.bars import Bars, Market
from synthcity.market.dataset import Dataset, build_dataset
from synthcity.market.windows import WindowSpec
from synthcity.nets import registry
from synthcity.nets.forecaster import NetForecaster
from synthcity.nets.loss import ScoreLoss
from synthcity.nets.network import Batch, make_batch
from synthcity.nets.training import Trainer
from synthcity.sn50.competitions import get_competition, get_rules

Floats = NDArray[np.float64]

START, DAY, INCREMENT, HORIZON = 1_640_995_200, 86_400, 300, 72  # 2022-01-01 UTC
ASSET, COMPETITION, RULES = "BTC", "crypto-24h", "2026-09"
_PATHS, _BATCH = 512, 32


@dataclass(frozen=True, kw_only=True)
class Garch:
    """``variance_t = (1 - alpha - beta) sigma^2 + alpha r_(t-1)^2 + beta variance_(t-1)`` (Bollerslev 1987).

    Shocks are Student-t of unit variance; ``sigma`` is the long-run volatility of a step.
    """

    alpha: float = 0.08
    beta: float = 0.917
    dof: float = 8.0
    sigma: float = 1e-3

    def simulate(self, rng: np.random.Generator, variance: Floats, num_steps: int) -> tuple[Floats, Floats]:
        """Return log returns and the variance after each, (..., num_steps), from the variance of the first step."""
        shocks = rng.standard_t(self.dof, (num_steps, *np.shape(variance))) * math.sqrt(1 - 2 / self.dof)
        returns, variances = np.empty_like(shocks), np.empty_like(shocks)
        level = (1 - self.alpha - self.beta) * self.sigma**2
        for t in range(num_steps):
            returns[t] = np.sqrt(variance) * shocks[t]
            variance = level + self.alpha * returns[t] ** 2 + self.beta * variance
            variances[t] = variance
        return np.moveaxis(returns, 0, -1), np.moveaxis(variances, 0, -1)


@dataclass(frozen=True, kw_only=True)
class Row:
    """Scores of one head in basis points: at the end, after the first half, and of what it is held against."""

    head: str
    score: float
    early: float
    oracle: float
    constant: float
    seconds: float

    @property
    def ratio(self) -> float:
        """Score over the oracle's."""
        return self.score / self.oracle


@dataclass(frozen=True, eq=False, kw_only=True)
class World:
    """A history of the process, later windows to score that no training sees, and the truth at every step."""

    garch: Garch
    dataset: Dataset
    scored: NDArray[np.int64]
    returns: Floats
    variance: Floats

    @classmethod
    def build(cls, *, garch: Garch | None = None, days: int = 1000, held_out: int = 160, seed: int = 0) -> World:
        """Simulate ``days`` of five-minute steps; of the last ``held_out`` every other window is scored."""
        garch = Garch() if garch is None else garch
        num_steps = days * DAY // INCREMENT
        rng = np.random.default_rng(seed)
        returns, variance = garch.simulate(rng, np.asarray(garch.sigma**2), num_steps)
        close = 100 * np.exp(np.cumsum(returns))
        before = np.concatenate([[100.0], close[:-1]])
        times = START + INCREMENT * np.arange(num_steps, dtype=np.int64)
        high, low = np.maximum(before, close), np.minimum(before, close)
        bars = Bars(times, before, high, low, close, np.ones(num_steps), INCREMENT)
        split = START + (days - held_out) * DAY
        dataset = build_dataset(
            Market({(ASSET, INCREMENT): bars}),
            competition=COMPETITION,
            rules=RULES,
            spec=WindowSpec.of(INCREMENT, HORIZON),
            assets=(ASSET,),
            train=(START, split),
            validation=(split, START + days * DAY),
            validation_every=HORIZON * INCREMENT,
            coefficients={ASSET: 1.0},
        )
        held = dataset.validation[ASSET]
        dataset = replace(dataset, validation={ASSET: held[::2]})  # these choose the network, the others score it
        return cls(garch=garch, dataset=dataset, scored=held[1::2], returns=returns, variance=variance)

    def batches(self, steps: int) -> Iterator[tuple[NDArray[np.int64], Batch]]:
        """Windows to be scored, with ``steps`` of history each."""
        for chunk in np.array_split(self.scored, math.ceil(len(self.scored) / _BATCH)):
            ids = np.zeros(len(chunk), np.int64)
            yield chunk, make_batch([self.dataset.tables[ASSET]], ids, chunk, steps, self.dataset.spec)

    def oracle(self, start: NDArray[np.int64], rng: np.random.Generator) -> Floats:
        """Paths of the truth (windows, paths, horizon) after grid steps ``start``."""
        variance = np.repeat(self.variance[start][:, None], _PATHS, axis=1)
        return self.garch.simulate(rng, variance, HORIZON)[0]

    def constant(self, start: NDArray[np.int64], rng: np.random.Generator) -> Floats:
        """Independent draws of training returns (windows, paths, horizon)."""
        known = self.returns[: int(self.dataset.train[ASSET][-1])]
        return rng.choice(known, (len(start), _PATHS, HORIZON))


@torch.inference_mode()
def network_score(world: World, forecaster: NetForecaster, seed: int = 0) -> float:
    """Mean fair score of a network's paths."""
    loss = ScoreLoss(get_competition(COMPETITION, get_rules(RULES)))
    generator = torch.Generator().manual_seed(seed)
    parts = []
    for _, batch in world.batches(forecaster.network.config.steps):
        paths = forecaster.network(batch).sample(_PATHS, generator=generator) * batch.anchor[:, None, None]
        parts.append(loss.per_window(paths, batch.realised))
    return float(torch.cat(parts).mean())


def truth_score(world: World, name: str, seed: int = 0) -> float:
    """Mean fair score of the ``"oracle"`` or the ``"constant"``."""
    loss = ScoreLoss(get_competition(COMPETITION, get_rules(RULES)))
    rng = np.random.default_rng(seed)
    draw = {"oracle": world.oracle, "constant": world.constant}[name]
    parts = [loss.per_window(torch.from_numpy(draw(start, rng)), batch.realised) for start, batch in world.batches(1)]
    return float(torch.cat(parts).mean())


def learning_table(
    world: World, heads: Iterable[str], *, max_steps: int = 600, seed: int = 0, blocks: tuple[str, ...] = ()
) -> Iterator[Row]:
    """Train each head and yield its row; ``early`` is the score half way through."""
    oracle, constant = (truth_score(world, name) for name in ("oracle", "constant"))
    for head in heads:
        config = {
            "d_model": 16,
            "history": 48,
            "patch": 1,
            "blocks": [{"name": name} for name in blocks],
            "head": {"name": head, "hidden": 16},
            "training": {"learning_rate": 4e-3},
        }
        begin = time.perf_counter()
        trainer = Trainer(config, world.dataset, seed=seed, num_rungs=2, max_steps=max_steps, device="cpu")
        scores = []
        for _ in range(2):
            trainer.advance()
            scores.append(network_score(world, NetForecaster.from_state(trainer.state())))
        seconds = time.perf_counter() - begin
        yield Row(head=head, score=scores[1], early=scores[0], oracle=oracle, constant=constant, seconds=seconds)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--heads", nargs="*", default=list(registry.heads()))
    parser.add_argument("--blocks", nargs="*", default=[])
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    world = World.build()
    print(f"{len(world.scored)} windows of {HORIZON} steps, {options.steps} training steps")
    print(f"{'head':10} {'score':>9} {'half way':>9} {'oracle':>9} {'ratio':>7} {'constant':>9} {'seconds':>8}")
    for row in learning_table(
        world, options.heads, max_steps=options.steps, seed=options.seed, blocks=tuple(options.blocks)
    ):
        print(
            f"{row.head:10} {row.score:9.2f} {row.early:9.2f} {row.oracle:9.2f} {row.ratio:7.4f} {row.constant:9.2f} "
            f"{row.seconds:8.1f}",
            flush=True,
        )


if __name__ == "__main__":
    main()

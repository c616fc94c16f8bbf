"""What does each block learn on the simulated market? Every block before the GBM head, with the true law as the floor.

Run ``python benchmarks/block_scores.py --steps 300``: networks 16 wide with their default options on the market of
``configs/quickstart.yaml``, trained and scored (fair CRPS, basis points) on the same windows. ``none`` reads the
summary features alone; ``oracle`` draws from the market's own law and its true state; ``fhs`` is the best baseline.
Percentages are against ``fhs``; beside them the part of the way from ``fhs`` to the oracle.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from synthcity.forecast.baselines import baseline
from synthcity.forecast.forecaster import Forecaster
from synthcity.market.simulated import SimulatedMarket, SimulatedOracle
from synthcity.nets.loss import ScoreLoss
from synthcity.nets.registry import blocks
from synthcity.nets.training import Trainer
from synthcity.search.config import load_config
from synthcity.search.data import SearchData, load_data

QUICKSTART = Path(__file__).parents[1] / "configs" / "quickstart.yaml"
PATHS = 400


def fair_score(forecaster: Forecaster, data: SearchData) -> float:
    """Mean over assets of the fair score on the validation windows that trainers see."""
    loss = ScoreLoss(data.competition)
    by_asset: dict[str, list[float]] = {}
    for seed, prompt in enumerate(data.validation_prompts(fresh=False)):
        history = data.market.as_of(prompt.start_time)
        asked = type(prompt)(asset=prompt.asset, start_time=prompt.start_time, num_simulations=PATHS)
        paths = np.diff(np.log(forecaster.simulate(history, asked, seed=seed)), axis=1)
        realised = data.market.realised(prompt.asset, prompt.grid, prompt.time_increment)
        moves = np.log(realised / realised[0])
        score = loss.per_window(torch.from_numpy(paths)[None], torch.from_numpy(moves)[None])
        by_asset.setdefault(prompt.asset, []).append(float(score))
    return float(np.average([np.mean(v) for v in by_asset.values()], weights=[data.weights[a] for a in by_asset]))


def train(names: list[str], data: SearchData, *, steps: int, seed: int) -> Mapping[str, float]:
    """Train one network and return its score, parameters and seconds."""
    config = {"d_model": 16, "blocks": [{"name": name} for name in names], "head": {"name": "gbm", "hidden": 16}}
    trainer = Trainer(config, data.dataset, seed=seed, num_rungs=3, max_steps=steps)
    begin, done = time.thread_time(), False
    while not done:
        figures = trainer.advance()
        done = bool(figures["done"])
    return {
        "score": figures["score"],
        "parameters": trainer.network.num_parameters,
        "seconds": time.thread_time() - begin,
    }


def main() -> None:
    """Print the table row by row."""
    parser = argparse.ArgumentParser(description="Score every block before the GBM head on the simulated market.")
    parser.add_argument("names", nargs="*", help="blocks; all by default")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    config = load_config(QUICKSTART, ())
    data = load_data(config)
    fhs = fair_score(baseline("fhs"), data)
    floor = fair_score(SimulatedOracle(SimulatedMarket(config.data.simulated)), data)
    print("| block | score | against fhs | of the way to the oracle | parameters | CPU seconds |")
    print("|---|---|---|---|---|---|")
    print(f"| oracle | {floor:.1f} | {100 * (floor / fhs - 1):+.2f} % | 100 % | | |")
    print(f"| fhs | {fhs:.1f} | | 0 % | | |", flush=True)
    for name in ["none", *(arguments.names or blocks())]:
        row = train([] if name == "none" else [name], data, steps=arguments.steps, seed=arguments.seed)
        score, way = row["score"], (fhs - row["score"]) / (fhs - floor)
        print(
            f"| {name} | {score:.1f} | {100 * (score / fhs - 1):+.2f} % | {100 * way:.0f} % "
            f"| {row['parameters']:,} | {row['seconds']:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()

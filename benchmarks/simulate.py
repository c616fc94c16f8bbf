"""What does a prompt's answer cost beside the randomness that it is made of, on one thread?

Run ``python benchmarks/simulate.py``. The first hand-written candidate (no block, GBM head), untrained, answers for one
asset with 1,000 paths of 289 points. ``bare`` is what no such answer can go below: the innovations of its own law,
drawn and shaped, and one exponential for every step. The answer is timed with the features of the past at hand, as
for the second member of a mix, and from prices alone. Told beside it: the network's pass, and quantised paths, which at
present are condensed from eight times as many draws. Repeats are interleaved, medians are told.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"  # read once, when NumPy and torch load
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from synthcity.durations import DAY
from synthcity.forecast.quantise import Quantised
from synthcity.market.simulated import SimulatedConfig, SimulatedMarket
from synthcity.market.windows import FeatureTable, WindowSpec
from synthcity.nets.config import NetConfig
from synthcity.nets.forecaster import NetForecaster, quantised_paths
from synthcity.nets.heads import law as laws
from synthcity.nets.heads.gbm import GBMLaw
from synthcity.nets.network import Network, make_batch
from synthcity.search.candidates.presets import presets
from synthcity.sn50.prompt import Prompt


def forecaster() -> NetForecaster:
    """The first hand-written candidate; training changes numbers, not costs."""
    spec = WindowSpec.of(300, 288)
    torch.manual_seed(0)
    config = NetConfig.from_dict(presets()["summary_gbm"].config)
    return NetForecaster(Network(config, spec, 1), spec, ("BTC",), {})


def race(contestants: dict[str, Callable[[], object]], repeats: int) -> dict[str, NDArray[np.float64]]:
    """Milliseconds (repeats,) of each contestant, one run of each in turn."""
    taken: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(repeats):
        for name, run in contestants.items():
            run()  # each finds its own data in the caches, not the other's
            start = time.perf_counter()
            run()
            taken[name].append((time.perf_counter() - start) * 1e3)
    return {name: np.array(times) for name, times in taken.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repeats", type=int, default=25)
    options = parser.parse_args()
    torch.set_num_threads(1)
    net, config = forecaster(), SimulatedConfig(days=100)
    market = SimulatedMarket(config).market(("BTC",), resolution=300)
    prompt = Prompt(asset="BTC", start_time=config.epoch + 95 * DAY)
    history = market.as_of(prompt.start_time)
    table = FeatureTable.build(history.bars("BTC", 300), net.spec, rows=net.network.config.steps)
    generator = torch.Generator().manual_seed(0)

    @torch.inference_mode()
    def run_network() -> GBMLaw:
        at = np.array([len(table) - 1])
        law = net.network(make_batch([table], np.zeros(1, np.int64), at, len(table), net.spec))
        assert isinstance(law, GBMLaw)
        return law

    law = run_network()

    @torch.inference_mode()
    def bare() -> None:
        assert law.dof_bh is not None
        noise = law.draw_noise(prompt.num_simulations, generator)
        laws.student(noise["exponential"], noise["cosine"], law.dof_bh[:, None]).exp()

    with torch.inference_mode():
        returns = law.sample(prompt.num_simulations, generator=generator)[0]

    @torch.inference_mode()
    def quantise() -> None:
        quantised_paths(returns, law.quantiles((torch.arange(len(returns)) + 0.5) / len(returns))[0])

    contestants: dict[str, tuple[str, Callable[[], object]]] = {
        "bare": ("innovations of the law and one exponential", bare),
        "answer": ("1,000 x 289 prices, features at hand", lambda: net.simulate(history, prompt, seed=0)),
        "network": ("of the answer: batch and network", run_network),
        "from prices": (
            "the answer and the features of the past",
            lambda: net.simulate(market.as_of(prompt.start_time), prompt, seed=0),
        ),
        "quantise": ("quantiles of every step, by rank", quantise),
        "quantised": ("the answer with quantised paths", lambda: Quantised(net).simulate(history, prompt, seed=0)),
    }
    times = race({name: run for name, (_, run) in contestants.items()}, options.repeats)
    print(f"one thread, medians of {options.repeats} interleaved runs, load {os.getloadavg()[0]:.1f}")
    for name, taken in times.items():
        print(f"{name:11} {np.median(taken):7.2f} ms (fastest {taken.min():7.2f})  {contestants[name][0]}")
    answer, least = times["answer"], times["bare"]
    print(f"answer / bare {np.median(answer / least):.2f} (of the fastest {answer.min() / least.min():.2f})")


if __name__ == "__main__":
    main()

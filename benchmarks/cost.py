"""What does an answer cost on one thread, and a backtest of a mix?

Run ``python -m benchmarks.cost``. Asked are one network, a mix of three, ``fhs`` and ``har``, all quantised as they
would mine, for crypto-24h and com-equ-24h, by prices alone: the features of the past are computed anew each time.
Networks are untrained presets, which changes numbers and not costs; prices are a store's (``--store``) or simulated.
Seconds are those of the process, which do not count the waiting that busy neighbours cause; told are the median and,
since neighbours slow the caches down, too, the fastest.

The backtest is that of 655 prompts of the mix: answering, the score and the reading of the past, in two processes.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"  # read once, when NumPy and torch load
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import argparse
import multiprocessing
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from itertools import cycle, islice

import numpy as np
import torch

from synthcity.durations import DAY
from synthcity.forecast.baselines import baseline
from synthcity.forecast.evaluation.backtest import backtest
from synthcity.forecast.forecaster import Forecaster
from synthcity.forecast.mixing import Mix
from synthcity.forecast.quantise import Quantised
from synthcity.market.bars import Market
from synthcity.market.simulated import SimulatedConfig, SimulatedMarket
from synthcity.market.store import open_store
from synthcity.market.times import parse_time
from synthcity.market.windows import WindowSpec
from synthcity.nets.config import NetConfig
from synthcity.nets.forecaster import NetForecaster
from synthcity.nets.network import Network
from synthcity.search.candidates.presets import presets
from synthcity.sn50.competitions import Competition, get_competition, get_rules
from synthcity.sn50.prompt import Prompt

COMPETITIONS = {"crypto-24h": ("BTC", "ETH", "SOL", "XRP", "HYPE"), "com-equ-24h": ("XAU", "NVDAX", "TSLAX", "SP500")}
MEMBERS = ("summary_gbm", "lstm_gbm", "summary_mixture")
BACKTEST = 655  # prompts
SIMULATED_DAYS = 150  # prompts come in the last 60
_PROCESSES = 2
_APART = 2 * 3600 + 300  # seconds; 655 prompts then lie within two months


def network(name: str, assets: tuple[str, ...], competition: Competition) -> NetForecaster:
    """Return a preset as it begins."""
    spec = WindowSpec.of(competition.time_increment, competition.time_length // competition.time_increment)
    torch.manual_seed(0)
    return NetForecaster(Network(NetConfig.from_dict(presets()[name].config), spec, len(assets)), spec, assets, {})


def mix(assets: tuple[str, ...], competition: Competition) -> Quantised:
    """Return ``MEMBERS`` in equal parts, as a bundle holds them."""
    return Quantised(Mix([network(name, assets, competition) for name in MEMBERS], [1 / len(MEMBERS)] * len(MEMBERS)))


def prices(competition: Competition, assets: tuple[str, ...], store: str | None) -> tuple[Market, int]:
    """Return a market and when its first prompt may begin."""
    if store is not None:
        end = parse_time("2025-10-31")
        return open_store(store).load_market(assets, competition.time_increment, end=end), end - 60 * DAY
    config = SimulatedConfig(days=SIMULATED_DAYS)
    market = SimulatedMarket(config).market(assets, resolution=competition.time_increment)
    return market, config.epoch + (SIMULATED_DAYS - 60) * DAY


def asked(assets: tuple[str, ...], first: int, count: int) -> list[Prompt]:
    """Return prompts 11 hours apart, asset by asset."""
    found = enumerate(islice(cycle(assets), count))
    return [Prompt(asset=asset, start_time=first + _APART * number) for number, asset in found]


def spent_on_backtest(count: int, store: str | None) -> tuple[float, float]:
    """Return the seconds of wall and of processes for a backtest of the mix on ``count`` prompts."""
    begin = time.perf_counter()
    each = [(count // _PROCESSES + (number < count % _PROCESSES), number, store) for number in range(_PROCESSES)]
    with ProcessPoolExecutor(_PROCESSES, mp_context=multiprocessing.get_context("spawn")) as pool:
        spent = sum(pool.map(_backtest, each))
    return time.perf_counter() - begin, spent


def _backtest(part: tuple[int, int, str | None]) -> float:
    count, number, store = part
    torch.set_num_threads(1)
    [(name, assets), *_] = COMPETITIONS.items()
    competition = get_competition(name, get_rules(None))
    market, first = prices(competition, assets, store)
    begin = time.process_time()
    prompts = asked(assets, first + number * _APART // _PROCESSES // 300 * 300, count)
    backtest([mix(assets, competition)], market, prompts, competition)
    return time.process_time() - begin


def seconds(run: Callable[[], object]) -> float:
    """Return the process's time for one call."""
    begin = time.process_time()
    run()
    return time.process_time() - begin


def answers(contestants: Mapping[str, Forecaster], market: Market, prompts: list[Prompt]) -> dict[str, list[float]]:
    """Return the milliseconds of each contestant, prompt by prompt in turn."""
    taken: dict[str, list[float]] = {name: [] for name in contestants}
    for prompt in prompts:
        for name, forecaster in contestants.items():

            def answer(forecaster: Forecaster = forecaster, prompt: Prompt = prompt) -> None:
                forecaster.simulate(market.as_of(prompt.start_time), prompt, seed=1)

            taken[name].append(1e3 * seconds(answer))
    return taken


def parts(net: NetForecaster, market: Market, prompts: list[Prompt]) -> dict[str, list[float]]:
    """Return the milliseconds of what one network's answer is made of."""
    taken: dict[str, list[float]] = {"features": [], "network and draws": [], "quantising": []}
    for prompt in prompts:
        history = market.as_of(prompt.start_time)
        cold = 1e3 * seconds(lambda: net.simulate(history, prompt, seed=1))  # noqa: B023 - called at once
        warm = 1e3 * seconds(lambda: net.simulate(history, prompt, seed=1))  # noqa: B023
        quantised = 1e3 * seconds(lambda: Quantised(net).simulate(history, prompt, seed=1))  # noqa: B023
        taken["features"].append(cold - warm)
        taken["network and draws"].append(warm)
        taken["quantising"].append(quantised - warm)
    return taken


def main() -> None:
    """Print a table for each competition, and how long the backtest takes."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--store")
    parser.add_argument("--repeats", type=int, default=30)
    parser.add_argument("--backtest", type=int, default=BACKTEST, help="prompts of the backtest; 0 for none")
    options = parser.parse_args()
    torch.set_num_threads(1)
    rules = get_rules(None)
    print(f"one thread, {options.repeats} prompts, load {os.getloadavg()[0]:.1f}; milliseconds\n")
    print("| competition | what | median | fastest |\n|---|---|---|---|")
    for name, assets in COMPETITIONS.items():
        competition = get_competition(name, rules)
        market, first = prices(competition, assets, options.store)
        prompts = asked(assets, first, options.repeats)
        net = network(MEMBERS[0], assets, competition)
        contestants: dict[str, Forecaster] = {
            "one network": Quantised(net),
            "a mix of three": mix(assets, competition),
            "fhs": Quantised(baseline("fhs")),
            "har": Quantised(baseline("har")),
        }
        answers(contestants, market, prompts[:1])  # warms up
        for what, taken in (answers(contestants, market, prompts) | parts(net, market, prompts)).items():
            print(f"| {name} | {what} | {np.median(taken):.1f} | {min(taken):.1f} |", flush=True)
    if options.backtest:
        wall, spent = spent_on_backtest(options.backtest, options.store)
        where = f"{wall:.0f} s in {_PROCESSES} processes, {spent:.0f} s of CPU"
        print(f"\na backtest of {options.backtest} prompts of the mix: {where}")


if __name__ == "__main__":
    main()

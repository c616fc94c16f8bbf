"""How fast is a training step beside straightforward PyTorch on the same network?

Run ``python benchmarks/training.py``. A transformer, an LSTM and the GBM head (32 wide, 64 tokens) learn from 64
windows of 288 steps and 100 paths each. Every contestant makes its batch, runs the network, draws its paths by the
same law, computes the score of crypto-24h, goes back through it and takes an AdamW step:

- synthcity: ``Trainer.train_step``, which also keeps the moving average of the weights;
- sorted: prices from the paths, then one CRPS a term of each interval in a Python loop, by sorting, under autograd;
- pairwise: the same with the CRPS as the validators write it, over all pairs of paths.

Repeats are interleaved, medians are told. On a GPU the steps a second of our step and the share of the time in which
the GPU computes are told too.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from synthcity.durations import DAY
from synthcity.market.dataset import Dataset, build_dataset
from synthcity.market.simulated import SimulatedConfig, SimulatedMarket
from synthcity.market.windows import WindowSpec
from synthcity.nets.config import Architecture, NetConfig, TrainingConfig
from synthcity.nets.training import Trainer
from synthcity.sn50.competitions import Competition, get_competition, get_rules

COMPETITION = get_competition("crypto-24h")
ASSETS = ("BTC", "ETH", "SOL")
BASIS_POINTS = 1e4
Crps = Callable[[Tensor, Tensor], Tensor]


def network() -> NetConfig:
    """A size that the search does not offer, so built past its choices."""
    config = NetConfig.from_dict(
        {"d_model": 32, "blocks": [{"name": "transformer"}, {"name": "lstm"}], "head": {"name": "gbm"}}
    )
    return replace(
        config,
        architecture=Architecture(d_model=32, history=64, patch=3),
        training=TrainingConfig(batch_size=64, num_paths=100),
    )


def simulated_dataset() -> Dataset:
    """Seventy simulated days of three assets."""
    config = SimulatedConfig(days=70)
    market = SimulatedMarket(config).market(ASSETS, resolution=COMPETITION.time_increment)
    rules = get_rules()
    return build_dataset(
        market,
        competition=COMPETITION.name,
        rules=rules.date,
        spec=WindowSpec.of(COMPETITION.time_increment, COMPETITION.num_points - 1),
        assets=ASSETS,
        train=(config.epoch + 10 * DAY, config.epoch + 60 * DAY),
        validation=(config.epoch + 60 * DAY, config.end),
        validation_every=11 * 3600,
        coefficients={asset: rules.coefficient(asset) for asset in ASSETS},
    )


class PlainLoss:
    """The score as one would write it down: prices, then a loop over the terms of every interval."""

    def __init__(self, competition: Competition, crps: Crps) -> None:
        self._competition = competition
        self._crps = crps

    def per_window(self, returns_bnh: Tensor, realised_bt: Tensor, weight_bk: Tensor | None = None) -> Tensor:
        """Score (batch,) of log returns (batch, paths, horizon); takes a law of equally likely paths alone."""
        assert weight_bk is None
        prices = torch.nn.functional.pad(returns_bnh, (1, 0)).cumsum(-1).exp()
        realised = realised_bt.exp()
        total = torch.zeros(len(prices), device=prices.device)
        for interval in self._competition.intervals:
            k = interval.seconds // self._competition.time_increment
            simulated, seen = prices[..., ::k], realised[..., ::k]
            if interval.kind == "change":
                changes = BASIS_POINTS * (simulated[..., 1:] / simulated[..., :-1] - 1)
                observed = BASIS_POINTS * (seen[..., 1:] / seen[..., :-1] - 1)
            else:
                changes = BASIS_POINTS * simulated[..., 1:] / seen[:, None, 1:]
                observed = torch.full_like(seen[:, 1:], BASIS_POINTS)
            for x_bn, y_b in zip(changes.unbind(-1), observed.unbind(-1), strict=True):
                total = total + self._crps(x_bn, y_b)
        return total


def sorted_crps(x_bn: Tensor, y_b: Tensor) -> Tensor:
    """Fair CRPS (batch,) of one term, from order statistics."""
    n = x_bn.shape[-1]
    rank = 2 * torch.arange(n, device=x_bn.device) - (n - 1)
    spread = (x_bn.sort(-1).values * rank).sum(-1) / (n * (n - 1))
    return (x_bn - y_b[:, None]).abs().mean(-1) - spread


def pairwise_crps(x_bn: Tensor, y_b: Tensor) -> Tensor:
    """Fair CRPS (batch,) of one term, from all pairs of paths."""
    n = x_bn.shape[-1]
    spread = (x_bn[:, :, None] - x_bn[:, None, :]).abs().sum((-1, -2)) / (2 * n * (n - 1))
    return (x_bn - y_b[:, None]).abs().mean(-1) - spread


class PlainTrainer(Trainer):
    """The same network, batches, paths and optimiser, no moving average, a loss of one's own."""

    def __init__(self, crps: Crps, config: NetConfig, dataset: Dataset, device: str) -> None:
        super().__init__(config, dataset, seed=0, num_rungs=1, max_steps=1000, device=device)
        self._loss = PlainLoss(COMPETITION, crps)  # type: ignore[assignment]

    def _average(self) -> None:
        """Keep no average."""


def race(contestants: dict[str, Callable[[], object]], repeats: int) -> dict[str, NDArray[np.float64]]:
    """Seconds (repeats,) of each contestant, one step of each in turn."""
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for run in contestants.values():
        run()
    for _ in range(repeats):
        for name, run in contestants.items():
            synchronise()
            start = time.perf_counter()
            run()
            synchronise()
            seconds[name].append(time.perf_counter() - start)
    return {name: np.array(times) for name, times in seconds.items()}


def synchronise() -> None:
    """Wait for the GPU, if there is one."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def gpu_figures(step: Callable[[], object], steps: int = 50) -> tuple[float, float]:
    """Steps a second when nothing waits between them, and the share of that time in which kernels run."""
    for _ in range(5):
        step()
    synchronise()
    begin = time.perf_counter()
    for _ in range(steps):
        step()
    synchronise()
    seconds = (time.perf_counter() - begin) / steps
    activities = [torch.profiler.ProfilerActivity.CPU, torch.profiler.ProfilerActivity.CUDA]
    with torch.profiler.profile(activities=activities) as profile:
        for _ in range(5):
            step()
        synchronise()
    busy = sum(event.self_device_time_total for event in profile.key_averages()) * 1e-6 / 5
    # the profiler slows the steps down but not the kernels: set their time against undisturbed steps
    return 1 / seconds, min(1.0, busy / seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repeats", type=int, default=11)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    config, dataset = network(), simulated_dataset()
    trainers = {
        "synthcity": Trainer(config, dataset, seed=0, num_rungs=1, max_steps=1000, device=device),
        "sorted": PlainTrainer(sorted_crps, config, dataset, device),
        "pairwise": PlainTrainer(pairwise_crps, config, dataset, device),
    }
    losses = {name: float(trainer.train_step()) for name, trainer in trainers.items()}
    times = race({name: trainer.train_step for name, trainer in trainers.items()}, options.repeats)
    ours = times["synthcity"]
    load = os.getloadavg()[0]
    print(f"{device}, {options.threads} threads, medians of {options.repeats} interleaved steps, load {load:.1f}")
    for name, seconds in times.items():
        print(
            f"{name:10} {np.median(seconds) * 1e3:8.1f} ms   ratio {np.median(seconds / ours):5.2f} "
            f"(of the fastest {seconds.min() / ours.min():5.2f})   first loss {losses[name]:.6f}"
        )
    if device == "cuda":
        rate, busy = gpu_figures(trainers["synthcity"].train_step)
        print(f"GPU {torch.cuda.get_device_name()}: {rate:.1f} steps/s, kernels run {busy:.0%} of the time")


if __name__ == "__main__":
    main()

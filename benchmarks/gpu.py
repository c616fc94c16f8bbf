"""What a GPU is worth: training steps a second of packaged candidates beside one CPU thread, and several on one GPU.

``python -m benchmarks.gpu`` on a machine with a GPU. Each candidate trains on three simulated assets with the batch
that it asks for; medians of repeated spans of steps, synchronised. ``host`` is the share of a step that the CPU takes
to gather the windows, which a faster GPU cannot shorten. Packing starts several processes on the one GPU, as a search
with ``gpus_per_trial`` below one does, and tells their steps a second together.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time

import torch

from benchmarks.training import simulated_dataset
from synthcity.market.dataset import Dataset
from synthcity.nets.training import Trainer
from synthcity.search.candidates.presets import presets

SECONDS = 1.5
PACKS = (1, 2, 4, 8, 12)


def steps_a_second(config: dict[str, object], dataset: Dataset, device: str, seconds: float = SECONDS) -> float:
    """Return the median over five spans."""
    trainer = Trainer(config, dataset, seed=0, num_rungs=1, max_steps=100_000, device=device)
    rates, steps = [], 4
    for _ in range(3):
        trainer.train_step()
    for _ in range(5):
        begin, done = time.perf_counter(), 0
        while time.perf_counter() - begin < seconds / 5:
            for _ in range(steps):
                trainer.train_step()
            if device == "cuda":
                torch.cuda.synchronize()
            done += steps
        rates.append(done / (time.perf_counter() - begin))
    return sorted(rates)[2]


def host_seconds(config: dict[str, object], dataset: Dataset) -> float:
    """Return the seconds that gathering one batch takes."""
    trainer = Trainer(config, dataset, seed=0, num_rungs=1, max_steps=100, device="cpu")
    size = trainer._config.training.batch_size
    trainer._sample(size)
    begin = time.perf_counter()
    for _ in range(20):
        trainer._sample(size)
    return (time.perf_counter() - begin) / 20


def packed(name: str, count: int) -> float:
    """Return the steps a second of ``count`` processes that train the same candidate together."""
    command = [sys.executable, "-m", "benchmarks.gpu", "--alone", name]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(count)]
    return sum(json.loads(process.communicate()[0].splitlines()[-1]) for process in running)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--alone", help="train one candidate for a while and print its steps a second")
    parser.add_argument("--packs", default="lstm_gbm", help="the candidate that is packed")
    options = parser.parse_args()
    torch.set_num_threads(1)
    dataset = simulated_dataset()
    configs = {name: dict(preset.config) for name, preset in presets().items()}
    if options.alone:
        # long enough that processes that began seconds apart train together most of the time
        print(json.dumps(steps_a_second(configs[options.alone], dataset, "cuda", seconds=15.0)))
        return
    print(torch.cuda.get_device_name(), "torch", torch.__version__)
    print(f"{'candidate':24} {'CPU':>8} {'GPU':>8} {'ratio':>6} {'host':>6}  steps a second")
    for name, config in configs.items():
        cpu = steps_a_second(config, dataset, "cpu")
        gpu = steps_a_second(config, dataset, "cuda")
        host = host_seconds(config, dataset) * gpu
        print(f"{name:24} {cpu:8.1f} {gpu:8.1f} {gpu / cpu:6.1f} {100 * host:5.0f} %", flush=True)
    for count in PACKS:
        print(f"{options.packs} x {count} on one GPU: {packed(options.packs, count):.1f} steps a second", flush=True)


if __name__ == "__main__":
    main()

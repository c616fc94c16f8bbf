"""What does each block cost? Writes ``synthcity/nets/costs.json``.

Run ``python benchmarks/blocks.py`` after a block was added or changed, or ``python benchmarks/blocks.py lstm tcn`` to
measure these two alone and keep the figures of the others. Every registered block with its default options, d_model 32,
batches of 64, 48 and 288 tokens, one thread: medians of the CPU time of forward and backward, which does not count the
waiting that busy neighbours cause, and the number of parameters.
"""

from __future__ import annotations

import argparse
import platform
import time
from pathlib import Path

import numpy as np
import torch

from synthcity import nets
from synthcity.errors import ConfigError
from synthcity.nets.costs import BATCH, FILE, LENGTHS, WIDTH, Cost, Costs, packaged_costs
from synthcity.nets.registry import Component, blocks, component
from synthcity.nets.training import keep_memory


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="BLOCK", help="blocks to measure; all by default")
    parser.add_argument("--repeats", type=int, default=9)
    options = parser.parse_args()
    torch.set_num_threads(1)
    keep_memory()
    chosen = [component("block", name) for name in options.names] or list(blocks().values())
    measured = {entry.name: measure(entry, options.repeats) for entry in chosen}
    kept = known() if options.names else {}
    costs = Costs(torch=torch.__version__, cpu=cpu_model(), blocks={**kept, **measured})
    path = Path(nets.__path__[0]) / FILE
    path.write_text(costs.to_json(), encoding="utf-8")
    print(f"{path}: {len(measured)} of {len(costs.blocks)} blocks measured with torch {costs.torch} on {costs.cpu}")


def known() -> dict[str, Cost]:
    """Return what the file holds of blocks that still exist."""
    try:
        return {name: cost for name, cost in packaged_costs().blocks.items() if name in blocks()}
    except (ConfigError, FileNotFoundError):
        return {}


def measure(entry: Component, repeats: int) -> Cost:
    """Time one block at both lengths and say so."""
    figures = {tokens: round(milliseconds(entry, tokens, repeats), 2) for tokens in LENGTHS}
    cost = Cost(parameters=entry.num_parameters(WIDTH), milliseconds=figures)
    shown = ", ".join(f"{value:8.2f} ms at {tokens} tokens" for tokens, value in figures.items())
    print(f"{entry.name:14} {shown}, {cost.parameters:,} parameters", flush=True)
    return cost


def milliseconds(entry: Component, tokens: int, repeats: int) -> float:
    """Median CPU time of forward and backward; the first two runs warm up."""
    torch.manual_seed(0)
    block = entry.build(WIDTH, tokens)
    x = torch.randn(BATCH, tokens, WIDTH, requires_grad=True)
    pull = torch.randn(BATCH, tokens, WIDTH)
    taken = []
    for _ in range(repeats + 2):
        start = time.thread_time()
        block(x).backward(pull)
        taken.append(time.thread_time() - start)
        block.zero_grad()
        x.grad = None
    return float(np.median(taken[2:])) * 1e3


def cpu_model() -> str:
    """Name of the processor, as Linux knows it, else its architecture."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


if __name__ == "__main__":
    main()

"""What does the wall around code that a model wrote cost? ``python -m benchmarks.boundary``

Told are CPU seconds, which busy neighbours change little, and seconds by the clock, which they change a lot: of a
locked child from its fork to its end; of a time that a feature is asked for, and of the same without a wall; of a
training step of a network with a written block in a locked child and of the same step here, in turns; of a law of it
from a fresh child, of its weights back, and of the process from which children are forked.
"""

from __future__ import annotations

import time

import numpy as np
import torch

from synthcity.authored import conformance
from synthcity.authored.examples import FEATURES
from synthcity.authored.feature import LIMITS, WORKER, FeatureSource, open_feature, opening
from synthcity.authored.locked.forks import ForkServer, shared_server
from synthcity.authored.locked.wire import Message
from synthcity.authored.numeric import begin as begin_numeric
from synthcity.nets import registry
from synthcity.nets.authored.code import AuthoredCode, register
from synthcity.nets.authored.examples import BLOCK
from synthcity.nets.authored.execution import execute
from synthcity.nets.authored.trial import dataset
from synthcity.nets.authored.walled_network import WORKER as NETWORKS
from synthcity.nets.training import Trainer

FORKS, TIMES, ROUNDS, STEPS, LAWS, PATHS = 30, 300, 12, 10, 20, 1000
_CONFIG: dict[str, object] = {
    "d_model": 32,
    "history": 96,
    "blocks": [{"name": "gated_average"}, {"name": "gru"}],
    "head": {"name": "gbm"},
}


def main() -> None:
    """Print a table."""
    torch.set_num_threads(1)
    print("| what | CPU | clock |\n|---|---|---|")
    print_children()
    print_feature()
    print_training()


def print_children() -> None:
    """A child that does nothing."""
    with ForkServer(WORKER) as server:
        used, clock = 0.0, time.perf_counter()
        for _ in range(FORKS):
            with server.fork(LIMITS) as child:
                pass
            used += child.cpu_seconds
        _tell("a locked child", used / FORKS, (time.perf_counter() - clock) / FORKS)


def print_feature() -> None:
    """A packaged feature over the panel of its suite, with and without a wall."""
    source, panel = FeatureSource.of(FEATURES["others_move"]), conformance.panel()
    times = panel.grids[300].time[1000::5][:TIMES]
    begun, clock = time.process_time(), time.perf_counter()
    with open_feature(source, panel) as feature:
        found = feature.past(times)
    used = time.process_time() - begun + feature.cpu_seconds
    _tell("a time of a feature, locked", used / TIMES, (time.perf_counter() - clock) / TIMES)
    begun, clock = time.process_time(), time.perf_counter()
    past, after, same = begin_numeric(opening(source.source, panel, source.lookback_days)), None, []
    for now in map(int, times):
        news = panel.between(after, now, source.lookback_days)
        same.append(past(Message({**news.values, "call": "past"}, news.arrays)).arrays["answer"])
        after = now
    used = time.process_time() - begun
    _tell("the same without a wall", used / TIMES, (time.perf_counter() - clock) / TIMES)
    assert np.allclose(found, same)


def print_training() -> None:
    """The same steps and laws here and in children, in turns."""
    code = AuthoredCode.of(BLOCK)
    execute(code.name, code.source)
    here = _trainer()
    registry.remove(code.kind, code.name)
    register(code)
    clock = time.perf_counter()
    shared_server(NETWORKS)
    print(f"| the process from which networks' children are forked | | {time.perf_counter() - clock:.1f} s |")
    walled = _trainer()
    for trainer in (here, walled):
        _steps(trainer)
    pairs = np.array([(*_steps(here), *_steps(walled)) for _ in range(ROUNDS)]) / STEPS
    own, own_clock, locked, locked_clock = np.median(pairs, axis=0)
    _tell("a training step here", own, own_clock)
    _tell("a training step, locked", locked, locked_clock)
    begun, clock = walled._fit.seconds(), time.perf_counter()
    walled.state()
    _tell("its state back", walled._fit.seconds() - begun, time.perf_counter() - clock)
    batch = here._sample(1)
    walled.network.load_state_dict(walled._fit.average)
    for what, network in (("here", here.network.eval()), ("locked", walled.network)):
        clock = time.perf_counter()
        for _ in range(LAWS):
            with torch.inference_mode():
                network(batch).sample(PATHS)
        print(
            f"| a law and {PATHS} paths, {what} | | {1000 * (time.perf_counter() - clock) / LAWS:.2f} ms |", flush=True
        )
    ratios = pairs[:, 2] / pairs[:, 0]
    print(f"\na locked step over one here, CPU: {np.median(ratios):.3f} ({ratios.min():.3f} to {ratios.max():.3f})")


def _trainer() -> Trainer:
    return Trainer(_CONFIG, dataset(), seed=0, num_rungs=1, max_steps=1000, device="cpu")


def _steps(trainer: Trainer) -> tuple[float, float]:
    """CPU seconds of this thread and of a child, and seconds by the clock."""
    begin, clock = trainer._fit.seconds(), time.perf_counter()
    for _ in range(STEPS):
        trainer.train_step()
    return trainer._fit.seconds() - begin, time.perf_counter() - clock


def _tell(what: str, cpu: float, clock: float) -> None:
    print(f"| {what} | {1000 * cpu:.2f} ms | {1000 * clock:.2f} ms |", flush=True)


if __name__ == "__main__":
    main()

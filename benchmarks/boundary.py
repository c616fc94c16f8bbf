"""What does the wall around code that a model wrote cost? ``python -m benchmarks.boundary``

Told are CPU seconds, which busy neighbours change little, and seconds by the clock, which they change a lot: of a
locked child from its fork to its end; of a time that a feature is asked for, and of the same without a wall; of a
training step of a network of packaged parts in a locked child and of the same step here, in turns; and of what such a
child would be handed: windows once, and its weights back.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch

from synthcity.authored import conformance
from synthcity.authored.examples import FEATURES
from synthcity.authored.feature import LIMITS, WORKER, FeatureSource, open_feature, opening
from synthcity.authored.locked.forks import ForkServer
from synthcity.authored.locked.lock import SandboxLimits
from synthcity.authored.locked.wire import Message
from synthcity.authored.numeric import begin as begin_numeric
from synthcity.nets.authored.trial import dataset
from synthcity.nets.training import Trainer

FORKS, TIMES, ROUNDS, STEPS = 30, 300, 8, 15
_TRAINING = SandboxLimits(cpu_seconds=600, wall_seconds=300.0, memory_bytes=2 << 30)
_CONFIG: dict[str, object] = {"d_model": 32, "history": 96, "blocks": [{"name": "gru"}], "head": {"name": "gbm"}}


def prepare() -> None:
    """Load torch and the windows, in the process from which children are forked."""
    torch.set_num_threads(1)
    _trainer().train_step()


def begin(message: Message) -> Callable[[Message], Message]:
    """Train on request, or take windows and give weights."""
    trainer = _trainer()

    def answer(asked: Message) -> Message:
        if "steps" in asked.values:
            return Message({"seconds": _steps(trainer, int(asked.values["steps"]))})
        state = {name: value.numpy() for name, value in trainer.network.state_dict().items()}
        return Message(arrays=state)

    return answer


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
    """The same steps here and in a child, in turns."""
    here = _trainer()
    with ForkServer("benchmarks.boundary") as server, server.fork(_TRAINING) as child:
        child.call(Message())
        pairs = []
        for _ in range(ROUNDS):
            clock = time.perf_counter()
            own = _steps(here, STEPS)
            middle = time.perf_counter()
            locked = float(child.call(Message({"steps": STEPS})).values["seconds"])
            pairs.append((own, locked, middle - clock, time.perf_counter() - middle))
        own, locked, own_clock, locked_clock = np.median(pairs, axis=0) / STEPS
        _tell("a training step here", own, own_clock)
        _tell("a training step, locked", locked, locked_clock)
        state = here.network.state_dict()
        shapes = {name: (tuple(value.shape), str(value.numpy().dtype)) for name, value in state.items()}
        begun, clock = time.process_time(), time.perf_counter()
        child.call(Message(), shapes)
        _tell("weights back", time.process_time() - begun, time.perf_counter() - clock)
        windows = np.zeros((200, 1 << 16))
        begun, clock = time.process_time(), time.perf_counter()
        child.call(Message({"steps": 0}, {"windows": windows}))
        _tell("100 MB of windows in", time.process_time() - begun, time.perf_counter() - clock)
    ratios = np.array([locked / own for own, locked, *_ in pairs])
    print(f"\na locked step over one here, CPU: {np.median(ratios):.3f} ({ratios.min():.3f} to {ratios.max():.3f})")


def _trainer() -> Trainer:
    return Trainer(_CONFIG, dataset(), seed=0, num_rungs=1, max_steps=1000, device="cpu")


def _steps(trainer: Trainer, count: int) -> float:
    """CPU seconds of this thread."""
    begin = time.thread_time()
    for _ in range(count):
        trainer.train_step()
    return time.thread_time() - begin


def _tell(what: str, cpu: float, clock: float) -> None:
    print(f"| {what} | {1000 * cpu:.2f} ms | {1000 * clock:.2f} ms |", flush=True)


if __name__ == "__main__":
    main()

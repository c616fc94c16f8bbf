"""What does the wall around code that a model wrote cost? ``python -m benchmarks.boundary``

Told are CPU seconds, which busy neighbours change little, and seconds by the clock, which they change a lot: of a
locked child from its fork to its end, of a time that a feature is asked for, and of the same without a wall.
"""

from __future__ import annotations

import time

import numpy as np

from synthcity.authored import conformance
from synthcity.authored.examples import FEATURES
from synthcity.authored.feature import LIMITS, WORKER, FeatureSource, open_feature, opening
from synthcity.authored.locked.forks import ForkServer
from synthcity.authored.locked.wire import Message
from synthcity.authored.numeric import begin

FORKS, TIMES = 30, 300


def main() -> None:
    """Print a table."""
    print("| what | CPU | clock |\n|---|---|---|")
    print_children()
    print_feature()


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
    past, after, same = begin(opening(source.source, panel, source.lookback_days)), None, []
    for now in map(int, times):
        news = panel.between(after, now, source.lookback_days)
        same.append(past(Message({**news.values, "call": "past"}, news.arrays)).arrays["answer"])
        after = now
    used = time.process_time() - begun
    _tell("the same without a wall", used / TIMES, (time.perf_counter() - clock) / TIMES)
    assert np.allclose(found, same)


def _tell(what: str, cpu: float, clock: float) -> None:
    print(f"| {what} | {1000 * cpu:.2f} ms | {1000 * clock:.2f} ms |", flush=True)


if __name__ == "__main__":
    main()

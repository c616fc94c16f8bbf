"""How long does Tune's loop stand still for a language model that takes a minute?

Run ``python benchmarks/stall.py [--seconds 60]``. The feed with both asking arms is popped as Ray Tune pops it, trials
being pretended, while a stand-in server takes ``seconds`` for each answer; ``suggest`` is timed. Beside it
``blocking``:
the same question asked inside ``suggest``, as a searcher does that waits for its model.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"

import argparse
import itertools
import tempfile
import time
from pathlib import Path

import numpy as np

from synthcity.agents.client import LLMClient
from synthcity.agents.standin.process import running_standin
from synthcity.search.candidates.space import Space
from synthcity.search.config import ArmConfig, BudgetConfig
from synthcity.search.gate import Gate, GateLimits
from synthcity.search.journal.journal import Journal
from synthcity.search.journal.recorder import Recorder
from synthcity.search.proposers import DefaultsProposer, Planner, make_arms
from synthcity.search.trials.bridge import QueueSearcher
from synthcity.search.trials.queue import TrialQueue
from synthcity.search.trials.tuning import make_task
from synthcity.settings import Secret, Settings

KEY = f"cpk_{'0a' * 16}.{'1b' * 16}.{'Zz' * 16}"
ARMS = {
    "tpe": ArmConfig(share=0.5),
    "random": ArmConfig(share=0.1),
    "llm.refine": ArmConfig(share=0.2),
    "llm.structure": ArmConfig(share=0.2),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0, help="that the model takes for an answer")
    seconds = parser.parse_args().seconds
    slow = {"mix": {"weights": {"good": 1}}, "replies": [{"do": "good", "delay": seconds}] * 100}
    with tempfile.TemporaryDirectory() as name, running_standin() as server, Journal(Path(name) / "run") as journal:
        server.script(slow)
        with LLMClient(Settings(llm_base_url=server.url, llm_api_key=Secret(KEY)), folder=Path(name)) as client:
            waits, answers = popped(Recorder(journal), client, 2.2 * seconds)
            begin = time.perf_counter()
            client.complete([{"role": "user", "content": "What next?"}], account="blocking")
            blocking = time.perf_counter() - begin
    low, high = np.percentile(waits, [50, 99])
    print(f"suggest, {len(waits)} calls beside {answers} answers: median {1e3 * low:.2f} ms, 99 % {1e3 * high:.2f} ms")
    print(f"longest stall {max(waits):.4f} s, blocking {blocking:.1f} s: 1 : {blocking / max(waits):.0f}")


def popped(recorder: Recorder, client: LLMClient, seconds: float) -> tuple[list[float], int]:
    """Pop for so long, ending every trial after a fifth of a second; return the waits and the number of answers."""
    space = Space.from_registry(2)
    gate = Gate(space, lambda config: {"parameters": 1, "step_seconds": 0.0}, GateLimits(max_parameters=10))
    planner = Planner(client=client, gate=gate, recorder=recorder, task="Forecast.", budget=lambda _: "Some.")
    budget = BudgetConfig(trials=10**6, arms=ARMS)
    defaults, arms = DefaultsProposer([]), make_arms(ARMS, space, planner)
    feed = TrialQueue(recorder=recorder, gate=gate, defaults=defaults, arms=arms, budget=budget, workers=2)
    searcher = QueueSearcher(feed, recorder, lambda name: make_task(name, recorder, budget, "none", "none"))
    waits, end, numbers = list[float](), time.perf_counter() + seconds, itertools.count()
    feed.start()
    while time.perf_counter() < end:
        begin = time.perf_counter()
        task = searcher.suggest(trial := str(next(numbers)))
        waits.append(time.perf_counter() - begin)
        time.sleep(0.2)
        if task is not None:
            name = task["task"]["candidate"]
            figures = {"score": 5000.0 + len(waits) % 97, "train_seconds": 0.2, "validation_seconds": 0.0}
            recorder.emit("rung", id=name, rung=1, num_rungs=1, **figures)
            recorder.emit("trial_finished", id=name, status="completed")
            searcher.on_trial_complete(trial)
            feed.wake()
    feed.join()
    if feed.failure is not None:
        raise feed.failure
    return waits, len(recorder.history.answers)


if __name__ == "__main__":
    main()

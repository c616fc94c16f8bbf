"""A whole search stage with the fake trainer, as a process of its own that tests may kill.

``python -m tests.search.drive FOLDER JSON``: JSON holds ``budget`` (of two workers), ``dataset``, ``seconds``, ``llm``
for arms and a debugger that ask a language model, and ``elsewhere`` for workers that believe to be on another machine.
How long Tune's loop waited for a suggestion is appended to ``suggest.txt``.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pyarrow.fs import PyFileSystem

from synthcity.agents.client import LLMClient
from synthcity.cluster.local import cluster, terminable
from synthcity.schema import build
from synthcity.search.candidates.space import Space
from synthcity.search.config import ArmConfig, BudgetConfig, LLMConfig
from synthcity.search.debugger import Consultant, Debugger
from synthcity.search.gate import Gate, GateLimits
from synthcity.search.journal.journal import Journal
from synthcity.search.journal.progress import Progress
from synthcity.search.journal.recorder import Recorder
from synthcity.search.proposers import DefaultsProposer, Planner, make_arms
from synthcity.search.trials import tuning
from synthcity.search.trials.bridge import QueueSearcher
from synthcity.search.trials.fleet import Fleet
from synthcity.search.trials.head_files import head_files
from synthcity.search.trials.queue import TrialQueue
from synthcity.search.trials.tuning import run_trials
from synthcity.settings import Settings
from tests.search.fakes import TRAINER


def timed_searcher(path: Path) -> type[QueueSearcher]:
    class Timed(QueueSearcher):
        def suggest(self, trial_id: str) -> Any:
            begin = time.perf_counter()
            try:
                return super().suggest(trial_id)
            finally:
                with open(path, "a") as log:
                    log.write(f"{time.perf_counter() - begin:.6f}\n")

    return Timed


@contextlib.contextmanager
def files_elsewhere(root: str) -> Iterator[PyFileSystem]:
    """``head_files`` on no machine of this cluster; prints how many files went through its actor."""
    with head_files(root, node="another") as files:
        yield files
        import ray  # not above: it reads settings of synthcity.cluster.local when it is imported

        print("written by the actor:", ray.get(ray.get_actor(files.handler._actor).written.remote()), flush=True)


def main(folder: Path, options: dict) -> None:
    arms = {name: ArmConfig(**arm) for name, arm in options["budget"].pop("arms", {}).items()}
    budget = BudgetConfig(**options["budget"], **({"arms": arms} if arms else {}))
    space = Space.from_registry(2)
    gate = Gate(space, lambda config: {"parameters": 1, "step_seconds": 0.0}, GateLimits(max_parameters=10))
    tuning.QueueSearcher = timed_searcher(folder / "suggest.txt")  # type: ignore[misc]
    client = LLMClient(Settings.load(), build(LLMConfig, options.get("llm", {})), folder=folder)
    with contextlib.ExitStack() as stack:
        recorder = Recorder(stack.enter_context(Journal(folder)))
        stack.enter_context(terminable())
        stack.enter_context(client)
        found = stack.enter_context(cluster(2, on_lost=lambda why: recorder.emit("run_interrupted", reason=why)))
        if options.get("elsewhere"):
            found = dataclasses.replace(found, is_elsewhere=True)
            tuning.head_files = files_elsewhere
        recorder.emit("run_resumed" if recorder.events else "run_started", workers=found.workers)
        machines = Fleet(recorder, found)
        stack.enter_context(machines.watched())
        machines.wait()
        planner = Planner(
            client=client, gate=gate, recorder=recorder, task="Forecast.", budget=lambda _: "Some.", count=1
        )
        consultant = Consultant(client, "Forecast.")
        debugger = Debugger(space=space, gate=gate, trials=budget.trials, consultant=consultant)
        feed = TrialQueue(
            recorder=recorder,
            gate=gate,
            defaults=DefaultsProposer([]),
            arms=make_arms(budget.arms, space, planner),
            budget=budget,
            workers=found.workers,
            debugger=debugger if budget.debugger == "llm" else None,
        )
        run_trials(
            recorder=recorder,
            feed=feed,
            budget=budget,
            cluster=found,
            dataset=options["dataset"],
            storage=str(folder / "checkpoints"),
            machines=machines,
            seconds=options.get("seconds"),
            trainer=TRAINER,
        )
        recorder.emit("search_finished", utilisation=Progress(recorder.history).utilisation())


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # started in the background it would be ignored
    main(Path(sys.argv[1]), json.loads(sys.argv[2]))

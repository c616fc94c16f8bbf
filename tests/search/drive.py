"""A whole search stage with the fake trainer, as a process of its own that tests may kill.

``python -m tests.search.drive FOLDER JSON``: JSON holds ``budget``, ``dataset``, ``seconds``, and ``llm``, the
address of a language model, where failed trials are to be repaired.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from synthcity.agents.client import LLMClient
from synthcity.cluster import cluster, terminable
from synthcity.search.config import BudgetConfig
from synthcity.search.debugger import Consultant, Debugger
from synthcity.search.feed import Feed
from synthcity.search.gate import Gate, Limits
from synthcity.search.journal import Journal
from synthcity.search.progress import Progress
from synthcity.search.proposers import DefaultsProposer, make_arms
from synthcity.search.recorder import Recorder
from synthcity.search.space import Space
from synthcity.search.tuning import run_trials
from synthcity.settings import Secret, Settings
from tests.search.fakes import TRAINER

KEY = f"cpk_{'0a' * 16}.{'1b' * 16}.{'Zz' * 16}"


def main(folder: Path, options: dict) -> None:
    budget = BudgetConfig(**options["budget"])
    space = Space.from_registry(2)
    gate = Gate(space, lambda config: {"parameters": 1, "step_seconds": 0.0}, Limits(max_parameters=10))
    with (
        Journal(folder) as journal,
        terminable(),
        cluster(2) as found,
        debugging(options.get("llm"), space, gate, budget.trials) as debugger,
    ):
        recorder = Recorder(journal)
        recorder.emit("run_resumed" if journal.events else "run_started", workers=found.workers)
        feed = Feed(
            recorder=recorder,
            gate=gate,
            defaults=DefaultsProposer([]),
            arms=make_arms(budget.arms, space),
            budget=budget,
            workers=found.workers,
            debugger=debugger,
        )
        run_trials(
            recorder=recorder,
            feed=feed,
            budget=budget,
            cluster=found,
            dataset=options["dataset"],
            storage=str(folder / "checkpoints"),
            seconds=options.get("seconds"),
            trainer=TRAINER,
        )
        recorder.emit("search_finished", utilisation=Progress(recorder.events).utilisation())


@contextlib.contextmanager
def debugging(url: str | None, space: Space, gate: Gate, trials: int) -> Iterator[Debugger | None]:
    if url is None:
        yield None
        return
    with LLMClient(Settings(llm_base_url=url, llm_api_key=Secret(KEY))) as client:
        yield Debugger(space=space, gate=gate, trials=trials, consultant=Consultant(client, "Forecast."))


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]))

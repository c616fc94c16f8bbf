"""Do 64 workers train, or wait for the search? The search stage with a trainer that sleeps, on 1 to 64 workers.

::

    python -m benchmarks.scaling                      # 1, 4, 16 and 64 workers, four trials each
    python -m benchmarks.scaling journal --trials 10000

Proposers, portfolio, gate, queue, Ray Tune, halving, checkpoints, journal and the plain display are those of a search;
the gate's dry run, which builds the network, is left out, and is timed by ``benchmarks/proposers.py``. Counted is
the time in which the search is under way: from when every worker has begun a trial until the last one is handed out.
CPU is process time of the search's own process, so that a busy machine does not count; of Ray's own it says nothing.
"""

from __future__ import annotations

import argparse
import io
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console

from benchmarks.sleeper import TRAINER, Sleeper
from synthcity.cluster.local import cluster
from synthcity.lines import sealed
from synthcity.search.candidates.candidate import Candidate
from synthcity.search.candidates.space import Space, canonical
from synthcity.search.config import BudgetConfig
from synthcity.search.gate import Gate, GateLimits
from synthcity.search.journal.events import VERSION, Event
from synthcity.search.journal.journal import JOURNAL, Journal, read_events
from synthcity.search.journal.recorder import Recorder
from synthcity.search.proposers import DefaultsProposer, make_arms
from synthcity.search.screen.display import open_display
from synthcity.search.trials.fleet import Fleet
from synthcity.search.trials.queue import TrialQueue
from synthcity.search.trials.tuning import run_trials

RUNGS = 4


@dataclass(frozen=True, kw_only=True)
class Scaling:
    """What one number of workers came to.

    ``share`` of the workers' time in which they trained; the rest by trial, in milliseconds: CPU of the search's
    process, and what of it went into the journal; ``wait`` is the median from a trial's end to the next one's begin.
    """

    workers: int
    trials: int
    share: float
    driver_ms: float
    journal_ms: float
    wait: float


class TimedJournal(Journal):
    """Sums the CPU seconds that its lines take."""

    seconds = 0.0

    def append(self, event: Mapping[str, object]) -> None:
        begin = time.thread_time()
        super().append(event)
        self.seconds += time.thread_time() - begin


class Clock:
    """Notes process time at every trial's begin, so that a part of a search can be cut out."""

    def __init__(self, journal: TimedJournal) -> None:
        self._journal = journal
        self.marks: list[tuple[float, float, float]] = []  # clock, process time, journal's time

    def begin(self, history: object) -> None:
        """Begin."""

    def update(self, event: Event, history: object) -> None:
        """Take one event."""
        if event["kind"] == "trial_started":
            self.marks.append((event["clock"], time.process_time(), self._journal.seconds))


def measure(workers: int, trials: int, seconds: float, folder: Path) -> Scaling:
    """Run one search stage."""
    space = Space.from_registry(3)
    budget = BudgetConfig(trials=trials, rungs=RUNGS, workers=workers)
    gate = Gate(space, lambda config: {"parameters": 1, "step_seconds": 0.0}, GateLimits(max_parameters=10))
    with TimedJournal(folder / "run") as journal, cluster(workers) as found:
        clock = Clock(journal)
        recorder = Recorder(journal, open_display(Console(file=io.StringIO())), clock)
        recorder.emit("run_started", workers=found.workers)
        recorder.emit("baselines", scores={"reference": 5100.0})
        feed = TrialQueue(
            recorder=recorder,
            gate=gate,
            defaults=DefaultsProposer([]),
            arms=make_arms(budget.arms, space),
            budget=budget,
            workers=found.workers,
        )
        run_trials(
            recorder=recorder,
            feed=feed,
            budget=budget,
            cluster=found,
            dataset={"seconds": seconds},
            storage=str(folder / "checkpoints"),
            machines=Fleet(recorder, found),
            trainer=TRAINER,
        )
        events = recorder.events
    return _counted(events, clock, found.workers)


def _counted(events: Sequence[Event], clock: Clock, workers: int) -> Scaling:
    """Cut out the time in which every worker has had a trial and more were waiting."""
    begin, end = clock.marks[workers - 1], clock.marks[-1]
    started: dict[str, float] = {}
    ended: list[float] = []
    busy, waits, trials = 0.0, list[float](), len(clock.marks) - workers
    for event in events:
        at = event["clock"]
        if event["kind"] == "trial_started":
            if at > begin[0] and ended:
                waits.append(at - ended.pop(0))  # the worker that has been free the longest, to good enough
            started[event["id"]] = at
        elif event["kind"] == "trial_finished" and at > begin[0]:
            ended.append(at)
        elif event["kind"] == "rung":
            first = at - event["seconds"]
            busy += max(0.0, min(at, end[0]) - max(first, begin[0]))
    return Scaling(
        workers=workers,
        trials=trials,
        share=busy / (workers * (end[0] - begin[0])),
        driver_ms=1e3 * (end[1] - begin[1]) / trials,
        journal_ms=1e3 * (end[2] - begin[2]) / trials,
        wait=sorted(waits)[len(waits) // 2] if waits else 0.0,
    )


def history_of(trials: int) -> Iterator[dict[str, object]]:
    """The events of a search of so many trials that all ran to their end."""
    config = canonical({"blocks": [{"name": "lstm"}], "head": {"name": "gbm"}})
    yield {"kind": "run_started", "time": 0.0, "session": 1, "clock": 0.0, "workers": 64, "version": VERSION}
    for index in range(trials):
        told = {"time": 1e9 + index, "session": 1, "clock": float(index)}
        candidate = Candidate(index=index, source="random", config=config, hash=f"{index:016x}")
        yield {"kind": "candidate", **told, **candidate.to_dict()}
        yield {"kind": "trial_started", **told, "id": candidate.id, "from_rung": 0}
        trainer = Sleeper(config, {"seconds": 0.0}, seed=index % 256, num_rungs=RUNGS, max_steps=1000)
        for rung in range(1, RUNGS + 1):
            yield {"kind": "rung", **told, "id": candidate.id, "num_rungs": RUNGS, **trainer.advance()}
            yield {
                "kind": "checkpoint",
                **told,
                "id": candidate.id,
                "path": f"trials-1/{index:08x}/checkpoint_{rung:06d}",
            }
        yield {"kind": "trial_finished", **told, "id": candidate.id, "status": "completed", "score": 5000.0 + index}


def read_back(trials: int, folder: Path) -> tuple[float, float]:
    """Return the MB of a journal of so many trials, and the CPU seconds that reading it takes."""
    path = folder / JOURNAL
    with path.open("wb") as file:  # not by a Journal, which waits for the disk at every line
        file.writelines(sealed(event) for event in history_of(trials))
    begin = time.process_time()
    events = read_events(path)
    seconds = time.process_time() - begin
    assert events[-1]["kind"] == "trial_finished"
    return path.stat().st_size / 1e6, seconds


def main() -> None:
    """Print a line for each number of workers."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("what", nargs="?", choices=("search", "journal", "one"), default="search")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 4, 16, 64])
    parser.add_argument("--trials", type=int, default=None, help="default: four a worker, and eight; 10,000 to read")
    parser.add_argument("--seconds", type=float, default=30.0, help="of a rung; a trial has four, if nobody stops it")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        if chosen.what == "journal":
            trials = chosen.trials or 10_000
            size, seconds = read_back(trials, Path(name))
            print(f"{trials:,} trials, {size:.1f} MB: read in {seconds:.2f} s of CPU")
        elif chosen.what == "one":
            workers = chosen.workers[0]
            found = measure(workers, chosen.trials or 4 * workers + 8, chosen.seconds, Path(name))
            print(json.dumps(asdict(found)))
        else:
            print("workers  trials  train  driver ms/trial  journal ms/trial  wait s")
            for workers in chosen.workers:
                print(_line(_alone(workers, chosen.trials, chosen.seconds)), flush=True)


def _alone(workers: int, trials: int | None, seconds: float) -> Scaling:
    """Measure in a process of its own, since Ray and the process time of one leave traces in the next."""
    command = [sys.executable, "-m", "benchmarks.scaling", "one", "--workers", str(workers), "--seconds", str(seconds)]
    command += [] if trials is None else ["--trials", str(trials)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return Scaling(**json.loads(done.stdout.splitlines()[-1]))


def _line(found: Scaling) -> str:
    return (
        f"{found.workers:7d} {found.trials:7d} {found.share:6.3f} {found.driver_ms:16.0f} {found.journal_ms:17.1f} "
        f"{found.wait:7.2f}"
    )


if __name__ == "__main__":
    main()

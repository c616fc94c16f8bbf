"""A backtest over the cores of this machine: one process a core, one thread a process, the same numbers."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass

from synthcity.errors import Fatal
from synthcity.forecast.evaluation.backtest import Backtest, Row, backtest, collect, score_prompt
from synthcity.forecast.forecaster import Forecaster
from synthcity.market.bars import Market
from synthcity.sn50.competitions import Competition, Rules, get_competition, get_rules
from synthcity.sn50.prompt import Prompt

_WORTH_A_PROCESS = 40  # prompts; fewer are done before another process has started
_CHUNKS_PER_WORKER = 8  # the last chunks even out the workers' speeds, and progress is seen
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
Found = tuple[list[Row], Counter[str], int]


@dataclass(frozen=True, kw_only=True)
class Job:
    """All that a process needs, the competition and its rules by name.

    ``load`` makes the forecasters there, since not all of them travel.
    """

    load: Callable[[], Sequence[Forecaster]]
    market: Market
    competition: str
    rules: str
    seed: int

    @property
    def terms(self) -> tuple[Competition, Rules]:
        """Competition and rules themselves."""
        rules = get_rules(self.rules)
        return get_competition(self.competition, rules), rules


def spread_backtest(
    job: Job, prompts: Sequence[Prompt], progress: Callable[[int, int], None], num_workers: int | None = None
) -> Backtest:
    """As ``backtest``, over ``num_workers`` processes: by default a core each, and none for a few prompts.

    Raises:
        SynthcityError: as ``backtest``.
        Fatal: a process ended.
    """
    if num_workers is None:
        num_workers = min(len(os.sched_getaffinity(0)), len(prompts) // _WORTH_A_PROCESS)
    if num_workers < 2:
        _one_thread()
        competition, rules = job.terms
        return backtest(job.load(), job.market, prompts, competition, rules=rules, seed=job.seed, progress=progress)
    size = max(1, len(prompts) // (_CHUNKS_PER_WORKER * num_workers))
    rows, lost, done = list[Row](), Counter[str](), 0
    with _environment_of_one_thread():
        pool = ProcessPoolExecutor(num_workers, multiprocessing.get_context("spawn"), _begin, (job,))
        try:
            pending: set[Future[Found]] = {
                pool.submit(_score, list(prompts[first : first + size])) for first in range(0, len(prompts), size)
            }
            while pending:
                finished, pending = wait(pending, return_when=FIRST_COMPLETED)
                for future in finished:
                    found, lost_here, num_done = future.result()
                    rows += found
                    lost += lost_here
                    done += num_done
                    progress(done, len(prompts))
        except BrokenProcessPool as error:
            raise Fatal("a process of the backtest ended, perhaps for lack of memory; free some and repeat") from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
    return collect(rows, prompts, *job.terms, lost)


_job: tuple[Job, list[Forecaster]] | None = None  # of a worker process


def _begin(job: Job) -> None:
    global _job
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends us
    _job = job, list(job.load())
    _one_thread()


def _score(prompts: list[Prompt]) -> Found:
    assert _job is not None
    job, forecasters = _job
    rows, lost, terms = list[Row](), Counter[str](), job.terms
    for prompt in prompts:
        rows += score_prompt(forecasters, job.market, prompt, *terms, job.seed, lambda _, why: lost.update([why]))
    return rows, lost, len(prompts)


def _one_thread() -> None:
    """Threads that wait for each other cost more than they bring for prompts of a second each."""
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)


@contextmanager
def _environment_of_one_thread() -> Iterator[None]:
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value

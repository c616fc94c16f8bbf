"""A whole pipeline from its file: the world that its prices bring, and the loop in it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from synthcity.agents.client import LLMClient
from synthcity.cluster.local import terminable
from synthcity.errors import RunError
from synthcity.files import obstacle
from synthcity.pipeline.config import Opening
from synthcity.pipeline.loop import run_loop
from synthcity.pipeline.state import State
from synthcity.pipeline.steps.agent import Agent
from synthcity.pipeline.steps.rule import rule
from synthcity.pipeline.steps.work import RUNS, Planner, Rounds
from synthcity.pipeline.worlds.real import Real, check_real
from synthcity.pipeline.worlds.rehearsal import Rehearsal, check_rehearsal
from synthcity.pipeline.worlds.world import World
from synthcity.settings import CHUTES_URL, Settings


def run_pipeline(opening: Opening, *, resume: bool = False, tell: Callable[[str], None] = print) -> State:
    """Run a pipeline until it stops, and return what it came to.

    Args:
        opening: what its file says.
        resume: go on with what is in its folder.
        tell: takes a line for each event; in a rehearsal every line says so.

    Raises:
        SynthcityError: as ``loop.run_loop``, or something is known to fail before anything is started.
    """
    if problem := obstacle(opening.folder, is_folder=True):
        raise RunError(f"{problem}; name another folder by --set folder=FOLDER (nothing was started)")
    if opening.config.cluster is not None and "RAY_ADDRESS" not in os.environ:
        raise RunError("the file names a cluster: call this within cluster.job.on_cluster, and import it there")
    settings = Settings.load()
    world: World
    if opening.is_rehearsal:
        check_rehearsal(opening)
        world = Rehearsal(opening)
    else:
        check_real(opening.config, settings)
        world = Real(opening.config, settings)
    mark = f"{world.mark} " if world.mark else ""
    with terminable(), _planner(opening, settings) as planner:
        work = Rounds(opening, world, settings, planner)
        return run_loop(opening.folder, opening.config, work, resume=resume, tell=lambda line: tell(f"{mark}{line}"))


@contextmanager
def _planner(opening: Opening, settings: Settings) -> Iterator[Planner]:
    """Yield the agent where there may be a language model and money for it, else the rule."""
    budget = opening.config.budget_usd
    if budget == 0 or not (settings.llm_api_key or settings.llm_base_url != CHUTES_URL):
        yield rule
        return
    own = next(iter(opening.sweeps.values())).config.llm
    config = replace(own, caps=replace(own.caps, usd_per_run=budget))
    with LLMClient(settings, config, folder=opening.folder) as client:
        yield Agent(client, opening.folder / RUNS, budget)

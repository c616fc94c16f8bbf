"""The loop that runs itself: started as a job, and how its rounds stand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import Field
from typing_extensions import TypedDict

from synthcity.bridge.jobs import board
from synthcity.bridge.jobs.job import PIPELINE
from synthcity.bridge.jobs.telling import JobTold, told
from synthcity.bridge.operation import Answer, Asked, Input, Operation, Refused
from synthcity.bridge.operations.jobs import Which
from synthcity.bridge.operations.training import Long, Sweep, sweep_file
from synthcity.bridge.place import DEFAULT_BOT
from synthcity.durations import DAY
from synthcity.errors import SynthcityError
from synthcity.pipeline.journal import JOURNAL
from synthcity.pipeline.status import Status, is_held, read_status

_SECRETS = ("SYNTHCITY_LLM_", "CHUTES_", "HF_", "HIPPIUS_", "WANDB_")  # what plans, publishes, keeps and tracks


class Pipelines(TypedDict):
    """Pipelines, those that run first, then the last that did; ``left_out`` says which cannot be read, and why.

    ``more`` is how many were not looked at.
    """

    pipelines: list[Status]
    left_out: list[str]
    more: int


class Listed(Input):
    """How many are told."""

    limit: int = Field(20, ge=1, le=1000, description="Pipelines shown.")


class Loop(Long):
    """Which pipeline, and its bounds."""

    config: Sweep = Field(
        "quickstart-pipeline", description="Pipeline file in the bridge's folder of configs, without .yaml."
    )
    publish: bool = Field(False, description="Publish what the gate lets through.")
    retries: int | None = Field(None, ge=1, le=20, description="Further plans of a round that comes to nothing.")
    temperature: float | None = Field(None, ge=0, le=1, description="Of the first plan; later ones are warmer.")
    rounds: int = Field(1, ge=1, le=1000, description="Rounds in all.")
    budget_usd: float | None = Field(None, ge=0, le=1000, description="For language models, of all rounds.")
    seconds: int | None = Field(None, ge=1, le=366 * DAY, description="For searching, of all rounds.")


def _run(asked: Asked[Loop]) -> Answer:
    from synthcity.pipeline.config import load_pipeline

    given = asked.given
    file = sweep_file(asked, given.config)
    opening = load_pipeline(
        Path(file),
        rounds=given.rounds,
        retries=given.retries,
        temperature=given.temperature,
        budget_usd=given.budget_usd,
        budget_time=given.seconds,
        publish=given.publish,
    )
    options = {name: getattr(given, name) for name in ("rounds", "retries", "temperature", "budget_usd")}
    arguments = [word for name, value in options.items() if value is not None for word in (_option(name), f"{value}")]
    arguments += ["--publish"] if given.publish else ["--set", "publish=false"]
    arguments += [] if given.seconds is None else ["--budget-time", f"{given.seconds}s"]
    is_rehearsal = all(sweep.is_simulated for sweep in opening.sweeps.values())
    job = board.start(
        asked.place,
        asked.bot,
        PIPELINE,
        given.model_dump(mode="json", exclude={"idempotency_key"}),
        [PIPELINE, "run", file, *arguments, "--set", f"folder={json.dumps('{runs}/{run}')}"],
        key=given.idempotency_key,
        secrets_needed=() if is_rehearsal else _SECRETS,
        home=asked.place.pipelines_of(asked.bot),
    )
    return told(asked.place, job)


def _rounds(asked: Asked[Which]) -> Answer:
    job = board.job_of(asked.place, asked.bot, asked.given.id)
    if job.action != PIPELINE:
        raise Refused(f"job {job.id} is a {job.action} and no pipeline", 404)
    if not job.journal.exists():
        raise Refused(f"the pipeline of job {job.id} has not begun its first round", 404)
    answer: Answer = json.loads(json.dumps(read_status(Path(job.run)).to_dict()))
    return answer


def _pipelines(asked: Asked[Listed]) -> Answer:
    folders = [asked.place.pipelines_of(asked.bot)]
    if asked.bot == DEFAULT_BOT and asked.place.pipelines is not None:
        folders.append(asked.place.pipelines)
    left = [path for folder in folders for path in sorted(folder.glob(f"*/{JOURNAL}"))]
    left.sort(key=lambda path: (is_held(path), _written(path)))
    pipelines: list[dict[str, object]] = []
    left_out = []
    while left and len(pipelines) < asked.given.limit:  # a miner's settled scores are read for each
        folder = left.pop().parent
        try:
            pipelines.append(read_status(folder).to_dict())
        except (SynthcityError, OSError) as error:
            left_out.append(f"{folder.name}: {error}")
    answer: Answer = json.loads(json.dumps({"pipelines": pipelines, "left_out": left_out, "more": len(left)}))
    return answer


def _written(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:  # it was removed meanwhile; reading it tells
        return 0.0


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


OPERATIONS: tuple[Operation[Any], ...] = (
    Operation(
        name="run",
        about="Run the pipeline: search, check, publish where asked to, challenge the miner, and again.",
        route="/pipeline/run",
        takes=Loop,
        gives=JobTold,
        act=_run,
        writes=True,
        long=True,
    ),
    Operation(
        name="rounds",
        about="Say how the rounds of a pipeline stand: what it does, what it found, and what it cost.",
        route="/pipeline/rounds/{id}",
        takes=Which,
        gives=Status,
        act=_rounds,
    ),
    Operation(
        name="pipelines",
        about="Say how the pipelines of this bot stand: who answers, what is in the shadow, what both earned.",
        route="/pipeline/list",
        takes=Listed,
        gives=Pipelines,
        act=_pipelines,
    ),
)

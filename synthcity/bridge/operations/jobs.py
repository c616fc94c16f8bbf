"""Jobs: what runs, how far it is, and an end to it."""

from __future__ import annotations

from typing import Any

from pydantic import Field
from typing_extensions import TypedDict

from synthcity.bridge.jobs import board
from synthcity.bridge.jobs.telling import JobTold, told
from synthcity.bridge.operation import Answer, Asked, Input, Operation


class Jobs(TypedDict):
    """Jobs of a bot, the newest first; ``total`` counts those that are not shown, too."""

    total: int
    running: int
    jobs: list[JobTold]


class Which(Input):
    """Which job."""

    id: str = Field(
        pattern="^[0-9a-f]{12}$", description="Id of the job, as its start and `jobs` tell it.", examples=["JOB_ID"]
    )


class HowMany(Input):
    """How many."""

    limit: int = Field(20, ge=1, le=1000, description="Jobs shown.")


def _jobs(asked: Asked[HowMany]) -> Answer:
    found = [told(asked.place, job) for job in board.jobs(asked.place, asked.bot)]
    running = sum(job["state"] in ("running", "stopping") for job in found)
    return {"total": len(found), "running": running, "jobs": found[: asked.given.limit]}


def _job(asked: Asked[Which]) -> Answer:
    return told(asked.place, board.job_of(asked.place, asked.bot, asked.given.id))


def _stop(asked: Asked[Which]) -> Answer:
    job = board.job_of(asked.place, asked.bot, asked.given.id)
    board.stop(asked.place, job)
    return told(asked.place, job)


def _resume(asked: Asked[Which]) -> Answer:
    job = board.job_of(asked.place, asked.bot, asked.given.id)
    board.resume(asked.place, job)
    return told(asked.place, job)


OPERATIONS: tuple[Operation[Any], ...] = (
    Operation(
        name="jobs",
        about="List the jobs of this bot, the newest first.",
        route="/jobs",
        takes=HowMany,
        gives=Jobs,
        act=_jobs,
    ),
    Operation(
        name="job",
        about="Say how a job stands: running, stopping, completed, stopped, failed or lost.",
        route="/jobs/{id}",
        takes=Which,
        gives=JobTold,
        act=_job,
    ),
    Operation(
        name="stop",
        about="Stop a job; it writes down where it is, and is ended after a minute.",
        route="/jobs/{id}/stop",
        takes=Which,
        gives=JobTold,
        act=_stop,
        writes=True,
    ),
    Operation(
        name="resume",
        about="Go on with a job that was stopped, lost or failed; everything it earned stays.",
        route="/jobs/{id}/resume",
        takes=Which,
        gives=JobTold,
        act=_resume,
        writes=True,
        long=True,
    ),
)

"""The bridge itself: whether it is well, and what its bot does now."""

from __future__ import annotations

from typing import Any

from typing_extensions import TypedDict

import synthcity
from synthcity.bridge.jobs import board
from synthcity.bridge.jobs.job import is_alive
from synthcity.bridge.jobs.telling import JobTold, told
from synthcity.bridge.operation import Answer, Asked, Nothing, Operation

IDLE = "idle"


class Health(TypedDict):
    """Whether the bridge is well."""

    status: str
    service: str
    version: str
    active_bots: int
    running_jobs: int


class Status(TypedDict):
    """What a bot does now; ``job`` is its newest one."""

    running: bool
    status: str
    bot_id: str
    job: JobTold | None


def _health(asked: Asked[Nothing]) -> Answer:
    running = [job for job in board.jobs(asked.place) if is_alive(asked.place.jobs / job.id)]
    return {
        "status": "ok",
        "service": "synth-city-bridge",
        "version": synthcity.__version__,
        "active_bots": len({job.bot for job in running}),
        "running_jobs": len(running),
    }


def _status(asked: Asked[Nothing]) -> Answer:
    newest = next(iter(board.jobs(asked.place, asked.bot)), None)
    job = told(asked.place, newest) if newest else None
    state = job["state"] if job else IDLE
    return {"running": state in ("running", "stopping"), "status": state, "bot_id": asked.bot, "job": job}


OPERATIONS: tuple[Operation[Any], ...] = (
    Operation(
        name="health",
        about="Say whether the bridge is well, and how much it does.",
        route="/health",
        takes=Nothing,
        gives=Health,
        act=_health,
    ),
    Operation(
        name="status",
        about="Say what this bot does now: its newest job.",
        route="/pipeline/status",
        takes=Nothing,
        gives=Status,
        act=_status,
    ),
)

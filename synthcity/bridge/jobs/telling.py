"""What is told of a job: its record, its state, and how far its run is."""

from __future__ import annotations

import contextlib
import shlex
from pathlib import Path

from typing_extensions import TypedDict

from synthcity.bridge.jobs.job import ENDED, Job, State, exit_code, last_error, state
from synthcity.bridge.place import Place
from synthcity.errors import SynthcityError
from synthcity.history.local import row_of_run
from synthcity.history.row import UNFINISHED
from synthcity.history.telling import moment


class JobTold(TypedDict):
    """One job; ``run`` finds its results, ``verdict`` and ``lead`` (percent, minus is better) are those of the run."""

    id: str
    bot: str
    action: str
    state: str
    command: str
    run: str
    created_at: str
    ended_at: str | None
    exit_code: int | None
    error: str | None
    trials: int
    verdict: str
    lead: float | None


def told(place: Place, job: Job) -> JobTold:
    """Return what is told of a job."""
    folder = place.jobs / job.id
    stands = state(folder)
    row = None
    with contextlib.suppress(SynthcityError):  # no run yet, or one that only its own files tell what is wrong with
        row = row_of_run(Path(job.run))
    return {
        "id": job.id,
        "bot": job.bot,
        "action": job.action,
        "state": str(stands),
        "command": shlex.join(["synthcity", *job.arguments]),
        "run": Path(job.run).name,
        "created_at": moment(job.created_at),
        "ended_at": _ended_at(folder),
        "exit_code": exit_code(folder),
        "error": last_error(folder) if stands in (State.FAILED, State.LOST) else None,
        "trials": row.trials if row else 0,
        "verdict": row.verdict if row else UNFINISHED,
        "lead": row.lead.mean if row and row.lead else None,
    }


def _ended_at(folder: Path) -> str | None:
    try:
        return moment((folder / ENDED).stat().st_mtime)
    except OSError:
        return None

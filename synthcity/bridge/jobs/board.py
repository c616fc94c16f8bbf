"""All jobs of a bridge: started once a key, at most so many at a time, found again, stopped."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from synthcity.bridge.jobs.job import CHILD, ENDED, LOCK, OUTPUT, RECORD, STOP, Job, State, is_alive, read_job, state
from synthcity.bridge.operation import Refused
from synthcity.bridge.place import Place
from synthcity.errors import RunError
from synthcity.files import PRIVATE, atomic_write
from synthcity.private import keep_private, without_secrets

MOST_AT_A_TIME = 4
RETRY_SECONDS = 60
MOST_KEPT = 1000  # records; those of the oldest ended jobs go, their runs stay


def start(
    place: Place,
    bot: str,
    action: str,
    asked: Mapping[str, Any],
    arguments: Sequence[str],
    *,
    key: str | None = None,
    secrets_needed: Sequence[str] = (),
    home: Path | None = None,
) -> Job:
    """Start ``synthcity ARGUMENTS`` as a job, or return the one that was started by the same ``key``.

    Args:
        place: where the bridge works.
        bot: whose job it is.
        action: name of the operation.
        asked: what was asked for, to tell a repetition from another request with the same key.
        arguments: of the command; ``{run}`` is the name and ``{runs}`` the folder of its run.
        key: of idempotency, chosen by the caller.
        secrets_needed: beginnings of the environment variables with secrets that the command needs.
        home: where its run folder lies, by default among the runs of the bot.

    Raises:
        Refused: too many run, or the key was used for something else.
        RunError: the state folder cannot be written.
    """
    text = json.dumps({"action": action, **asked}, sort_keys=True)
    id = secrets.token_hex(6) if key is None else hashlib.sha256(f"{bot}\0{key}".encode()).hexdigest()[:12]
    with _alone(place):
        folder = place.jobs / id
        if (folder / RECORD).exists():
            known = read_job(folder)
            if known.asked != text:
                raise Refused(f"the idempotency key {key!r} was used for another request; choose a new one", 409)
            if is_alive(folder) or (folder / OUTPUT).exists():
                return known
        _check_room(place)
        _forget_oldest(place)
        runs, run = (home or place.runs_of(bot)).absolute(), f"{action}-{id}"
        job = Job(
            id=id,
            bot=bot,
            action=action,
            asked=text,
            arguments=tuple(part.replace("{runs}", str(runs)).replace("{run}", run) for part in arguments),
            run=str(runs / run),
            created_at=time.time(),
            secrets=tuple(secrets_needed),
        )
        keep_private(folder)
        job.write(folder)
        _launch(folder, job)
    return job


def resume(place: Place, job: Job) -> None:
    """Go on with a job that was stopped or lost, or failed; its run keeps what it earned.

    Raises:
        Refused: it runs, or is over.
    """
    with _alone(place):
        folder = place.jobs / job.id
        if (stands := state(folder)) not in (State.STOPPED, State.LOST, State.FAILED):
            raise Refused(f"job {job.id} is {stands}; only what was stopped, lost or failed can go on", 409)
        _check_room(place)
        for name in (STOP, ENDED):
            (folder / name).unlink(missing_ok=True)
        _launch(folder, job)


def jobs(place: Place, bot: str | None = None) -> list[Job]:
    """Return the jobs of one bot, or of all, the newest first; what cannot be read is none."""
    found = []
    for folder in _folders(place):
        with contextlib.suppress(RunError):
            found.append(read_job(folder))
    return sorted((job for job in found if bot in (None, job.bot)), key=lambda job: (-job.created_at, job.id))


def job_of(place: Place, bot: str, id: str) -> Job:
    """Return one job of a bot.

    Raises:
        Refused: it has no such job.
    """
    folder = place.jobs / id
    with contextlib.suppress(RunError):
        if (job := read_job(folder)).bot == bot:
            return job
    raise Refused(f"there is no job {id!r} of the bot {bot!r}", 404)


def stop(place: Place, job: Job) -> None:
    """Ask a job to stop; it writes down where it is, and is ended after a minute.

    The wish is on the disk before its processes are told, so that a keeper that only begins finds it.
    """
    folder = place.jobs / job.id
    if not is_alive(folder):
        return
    atomic_write(folder / STOP, "", mode=PRIVATE)
    with contextlib.suppress(OSError, ValueError):
        keeper, command = (int(word) for word in (folder / CHILD).read_text().split())
        for pid in (keeper, command):  # the command itself where its keeper was killed
            if _is_of(pid, job):
                os.kill(pid, signal.SIGTERM)
                return


def _is_of(pid: int, job: Job) -> bool:
    """Whether a process id means a process of this job, and not another that got it later."""
    try:
        return job.id.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def _check_room(place: Place) -> None:
    if sum(is_alive(folder) for folder in _folders(place)) >= MOST_AT_A_TIME:
        text = f"{MOST_AT_A_TIME} jobs run already; stop one or come again later"
        raise Refused(text, 429, {"Retry-After": str(RETRY_SECONDS)})


def _launch(folder: Path, job: Job) -> None:
    """Start the keeper; the job's lock is held before it, so that the job is never seen without its processes."""
    lock = os.open(folder / LOCK, os.O_CREAT | os.O_RDWR, PRIVATE)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)  # who looks whether the job is alive holds it for a moment
        with (folder / OUTPUT).open("ab") as output:
            keeper = subprocess.Popen(
                [sys.executable, "-m", "synthcity.bridge.jobs.keeper", str(folder), str(lock)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=without_secrets(os.environ, needed=job.secrets),
                pass_fds=(lock,),
                start_new_session=True,
            )
        threading.Thread(target=keeper.wait, daemon=True).start()  # so that it leaves no zombie while this one lives
    except OSError as error:
        raise RunError(f"cannot start a job: {error.strerror or error}") from error
    finally:
        os.close(lock)


@contextlib.contextmanager
def _alone(place: Place) -> Iterator[None]:
    """Let nobody else start a job meanwhile, in this process or another."""
    try:
        place.state.mkdir(parents=True, exist_ok=True, mode=0o700)
        place.jobs.mkdir(exist_ok=True, mode=0o700)
        lock = os.open(place.jobs / LOCK, os.O_CREAT | os.O_RDWR, PRIVATE)
    except OSError as error:
        raise RunError(f"cannot write {str(place.state)!r}: {error.strerror or error}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _folders(place: Place) -> list[Path]:
    if not place.jobs.is_dir():
        return []
    return [folder for folder in place.jobs.iterdir() if (folder / RECORD).is_file()]


def _forget_oldest(place: Place) -> None:
    known = jobs(place)
    for job in known[MOST_KEPT:]:
        if not is_alive(place.jobs / job.id):
            shutil.rmtree(place.jobs / job.id, ignore_errors=True)

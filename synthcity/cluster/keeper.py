"""Keeps the autoscaler of a cluster running as long as its head does, and ends what is rented once the head has ended.

The autoscaler is no child of the head: jobs inherit what the head knows, and the market's token is not theirs; and Ray
ends a head with all its jobs where a process that it started dies.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from synthcity.cluster.autoscaling import variables
from synthcity.cluster.folder import Folder, Head
from synthcity.cluster.layout import Place
from synthcity.cluster.plan import Plan
from synthcity.cluster.processes import Process
from synthcity.cluster.renting import end_rentals
from synthcity.errors import SynthcityError
from synthcity.private import without_secrets
from synthcity.settings import Settings

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0
_LIVED = 60.0  # seconds after which an autoscaler that dies is started again at once
_log = logging.getLogger(__name__)


def start_keeper(folder: Folder, plan: Plan, environ: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start it, as a process that outlives this one, and return it."""
    with (folder.path / "autoscaler.log").open("ab") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "synthcity.cluster.keeper", str(folder.path)],
            env=environment_of(folder, plan, environ),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    if (process := Process.of(child.pid)) is not None:
        folder.write_keeper(process)
    return child


def environment_of(folder: Folder, plan: Plan, environ: Mapping[str, str]) -> dict[str, str]:
    """Return what it begins with: of secrets the market's token alone, where nodes are rented."""
    kept = without_secrets(environ, needed=("BASILICA_API_TOKEN",) if plan.is_rented else ())
    return {**folder.environment(kept), **variables(plan)}


def keep(head: Head, plan: Plan, *, command: tuple[str, ...]) -> None:
    """Run ``command`` again and again until the head has ended."""
    pause = _FIRST_PAUSE
    while head.process.is_alive:
        began = time.monotonic()
        try:
            why = _run(command, head)
        except OSError as error:  # such as by too many processes, or too little memory
            why = str(error)
        if not head.process.is_alive:
            return
        pause = _FIRST_PAUSE if time.monotonic() - began > _LIVED else min(_LONGEST_PAUSE, 2.0 * pause)
        _log.warning("the autoscaler of %s ended (%s); it is started again", plan.name, why)
        until = time.monotonic() + pause
        while head.process.is_alive and time.monotonic() < until:
            time.sleep(0.5)


def _run(command: tuple[str, ...], head: Head) -> str:
    """Run ``command`` to its end, or to that of the head, and return how it ended."""
    with subprocess.Popen(command) as child:
        while child.poll() is None and head.process.is_alive:
            time.sleep(0.5)
        if child.poll() is None:
            child.kill()
    return str(child.returncode)


def autoscaler(folder: Folder, head: Head, plan: Plan) -> tuple[str, ...]:
    """Return the command that runs Ray's autoscaler."""
    return (
        *(sys.executable, "-u", "-m", "ray.autoscaler.v2.monitor", f"--gcs-address={head.gcs}"),
        *(f"--autoscaling-config={folder.autoscaling}", f"--logs-dir={head.ray}/session_latest/logs"),
        f"--monitor-ip={Place(0, plan.head.ports).address}",
    )


def main(path: str) -> None:
    """Keep the autoscaler of the cluster in the folder ``path``."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    folder = Folder(Path(path))
    head, plan = folder.head, folder.plan
    if head is not None:
        os.chdir(head.home)  # where `.env` lies
        keep(head, plan, command=autoscaler(folder, head, plan))
    while plan.is_rented:
        try:
            end_rentals(folder, Settings.load())
        except Exception as error:  # noqa: BLE001 (what is rented would else stay so, and nobody would be told)
            if isinstance(error, SynthcityError):
                _log.warning("%s; it is tried again", error)
            else:
                _log.exception("what is rented could not be ended; it is tried again")
            time.sleep(_LONGEST_PAUSE)
        else:
            _log.info("the head of %s has ended, and all that was rented for it", plan.name)
            return


if __name__ == "__main__":
    main(sys.argv[1])

"""Starts the head of a cluster, and ends a cluster so that nothing of it is left."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import httpx

from synthcity.cluster.autoscaling import autoscaling, variables
from synthcity.cluster.folder import Folder, Head, ray_command
from synthcity.cluster.keeper import start_keeper
from synthcity.cluster.layout import Place
from synthcity.cluster.machines.rented import WAITING
from synthcity.cluster.plan import Plan
from synthcity.cluster.processes import MARK, Process, end, marked
from synthcity.cluster.renting import end_rentals, may_rent
from synthcity.errors import ConfigError, Fatal
from synthcity.private import secret_names
from synthcity.rent import Market
from synthcity.settings import Settings

BOOT_SECONDS = 180.0
_STOP_SECONDS = 120  # that a search may take to end in order
_STARTED = "Ray runtime started"  # as `ray start` says once its node has joined
# Ray gives its own helpers 15 seconds, which is little where the machine is busy; then it says this
_LATE, _MOST_STARTS = "The current node timed out during startup", 3
_CLOSING_SECONDS = 10.0  # for which the system may still hold ports of a head that was killed
_LAST_LINES = 15  # of the log, where the head does not come up


def up(plan: Plan, folder: Folder, home: Path, *, heartbeat: Path | None = None) -> Head:
    """Start the head and return once jobs can be submitted.

    Args:
        plan: what to start.
        folder: the cluster's own.
        home: the folder that jobs work in.
        heartbeat: of the reaper without which nothing is rented; None where none is asked for.

    Raises:
        ConfigError: a port is taken.
        RunError: the cluster is up already, or another command starts or ends it.
        Fatal: the head does not come up.
    """
    with folder.held():
        folder.check_down()
        _end_processes(folder)  # of a head that was killed
        check_ports(plan, patience=_CLOSING_SECONDS if folder.has_plan else 0.0)
        token = secrets.token_hex(32)
        folder.write(plan, autoscaling(plan, folder.path), token)
        ray = tempfile.mkdtemp(prefix="synthcity-ray-", dir="/tmp")  # of mode 0700; sockets lie in it
        try:
            for left in reversed(range(_MOST_STARTS)):
                head = _start(plan, folder, ray, home)
                head = replace(head, heartbeat=str(heartbeat.absolute()) if heartbeat else "")
                folder.write_head(head)
                try:
                    _await(head, folder, token)
                    break
                except Fatal:
                    if not left or _LATE not in _log(folder):
                        raise
                _end_processes(folder)
            start_keeper(folder, plan, os.environ)
        except BaseException:
            _end_processes(folder)
            shutil.rmtree(ray, ignore_errors=True)
            raise
    return head


def down(folder: Folder, settings: Settings) -> None:
    """End all processes of a cluster and all that is rented for it, and remove what it kept but for its ledger.

    Raises:
        ConfigError: something may be rented and there is no token; nothing was ended.
        RentError: the market may still have rentals of the cluster; all else is ended.
        RunError: another command starts or ends it.
    """
    with folder.held():
        rents = may_rent(folder)
        if rents:
            Market.of(settings).close()  # which tells what it lacks
        head = folder.head
        _end_processes(folder, None if head is None else head.process)
        if head is not None:
            shutil.rmtree(head.ray, ignore_errors=True)
        if rents:
            end_rentals(folder, settings)
        for name in ("head.json", "keeper.json", "token", "autoscaling.yaml", "plan.yaml", WAITING):
            (folder.path / name).unlink(missing_ok=True)
        for name in ("nodes", "machines", "ssh"):
            shutil.rmtree(folder.path / name, ignore_errors=True)


def check_ports(plan: Plan, *, patience: float = 0.0) -> None:
    """Raise ConfigError where a port of the head of a plan is taken, and not free within so many seconds."""
    place, limit = Place(0, plan.head.ports), time.monotonic() + patience
    for port, key in [*((port, "head.ports") for port in place.ports), (plan.head.dashboard, "head.dashboard")]:
        while not (is_free := _is_free(port)) and time.monotonic() < limit:
            time.sleep(0.1)
        if not is_free:
            text = f"port {port} is in use by another process; set {key} of the cluster file to another one"
            raise ConfigError(text)


def _is_free(port: int) -> bool:
    try:
        socket.create_server(("", port)).close()
    except OSError:
        return False
    return True


def head_environment(environ: Mapping[str, str], plan: Plan, folder: Folder) -> dict[str, str]:
    """Return what the head's processes begin with.

    Jobs inherit it: of secrets, those that synthcity itself reads, and those of S3.
    """
    known = {name for names in Settings.variables().values() for name in names} - {"BASILICA_API_TOKEN"}
    left_out = {name for name in secret_names(environ, needed=("AWS_",)) if name not in known}
    kept = {name: value for name, value in environ.items() if name not in left_out}
    path = os.pathsep.join([str(Path(sys.executable).parent), environ.get("PATH", os.defpath)])
    return {
        **folder.environment(kept),
        **variables(plan),
        "PATH": path,
        "RAY_JOB_STOP_WAIT_TIME_S": str(_STOP_SECONDS),
    }


def _start(plan: Plan, folder: Folder, ray: str, home: Path) -> Head:
    place = Place(0, plan.head.ports)
    arguments = [
        *("--head", "--block", "--disable-usage-stats", "--num-cpus=0", "--num-gpus=0", f"--temp-dir={ray}"),
        *("--include-dashboard=true", "--dashboard-host=127.0.0.1", f"--dashboard-port={plan.head.dashboard}"),
        *("--no-monitor", *place.arguments),
    ]
    with (folder.path / "head.log").open("wb") as log:
        child = subprocess.Popen(
            [*ray_command(), *arguments],
            env=head_environment(os.environ, plan, folder),
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    process = Process.of(child.pid)
    if process is None:
        raise Fatal(f"Ray does not start: {_last_lines(folder)}")
    return Head(
        process=process,
        gcs=place.gcs,
        url=f"http://127.0.0.1:{plan.head.dashboard}",
        ray=ray,
        home=str(home.absolute()),
    )


def _await(head: Head, folder: Folder, token: str) -> None:
    """Wait until jobs can be submitted; the dashboard answers while Ray may still give up its start."""
    limit = time.monotonic() + BOOT_SECONDS
    with httpx.Client(headers={"Authorization": f"Bearer {token}"}, timeout=5.0, trust_env=False) as client:
        while time.monotonic() < limit:
            with contextlib.suppress(httpx.HTTPError):
                if client.get(f"{head.url}/api/jobs/").status_code == 200 and _STARTED in _log(folder):
                    return
            if not head.process.is_alive:
                raise Fatal(f"the head ended by itself: {_last_lines(folder)}")
            time.sleep(0.2)
    raise Fatal(f"the head does not answer within {BOOT_SECONDS:g} seconds: {_last_lines(folder)}")


def _log(folder: Folder) -> str:
    return (folder.path / "head.log").read_text(encoding="utf-8", errors="replace")


def _last_lines(folder: Folder) -> str:
    lines = _log(folder).strip().splitlines()
    return "\n".join(lines[-_LAST_LINES:]) or "it says nothing"


def _end_processes(folder: Folder, first: Process | None = None) -> None:
    end(lambda: marked(MARK, str(folder.path)), first=first)

"""Ray without traces: a private, quiet local cluster, or the running one that ``RAY_ADDRESS`` names.

A local cluster lives in a temporary folder of its own with its own auth token, and both go when it ends. Nothing is
written to the user's home. SIGTERM ends a search like Ctrl-C does. When the driver is killed outright, Ray's
processes end by themselves within seconds; the folder it leaves is removed by the next search.
"""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from synthcity.errors import Fatal

_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_PRINT_ALL_TRIAL_ERRORS": "0",
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_DISABLE_STRICT_METRIC_CHECKING": "1",
    # snapshots of Tune's own are never read: the journal is the truth
    "TUNE_GLOBAL_CHECKPOINT_S": "100000",
}
_PREFIX = "synthcity-"
_TOKEN = secrets.token_hex(32)  # one a process: Ray caches the first that it reads
_MAX_SOCKET_ROOT = 40  # a socket's path may have 107 bytes; Ray appends up to 65 to its folder


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """What there is to work with: parallel trials, and GPUs in all."""

    workers: int
    num_gpus: float

    @property
    def resources(self) -> dict[str, float]:
        """Resources of one worker."""
        share = self.num_gpus / self.workers
        return {"cpu": 1.0, **({"gpu": share if share < 1 else float(int(share))} if share else {})}


@contextlib.contextmanager
def cluster(workers: int | None) -> Iterator[Cluster]:
    """Start or join Ray and leave nothing behind.

    ``workers``: trials at a time; None takes one for every CPU.

    Raises:
        Fatal: Ray does not start, or the cluster named by ``RAY_ADDRESS`` does not answer.
    """
    address = os.environ.get("RAY_ADDRESS")
    with contextlib.ExitStack() as stack:
        stack.enter_context(environment(_QUIET))
        for name in ("ray", "ray.tune", "ray.train", "ray.data"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        arguments: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.CRITICAL}
        if address:
            arguments["address"] = address
        else:
            arguments["include_dashboard"] = False
            arguments["num_cpus"] = workers or available_cpus()
            arguments["_temp_dir"] = str(stack.enter_context(_private_folder()))
        import ray  # reads some of the settings above on import

        try:
            ray.init(**arguments)
        except Exception as error:
            where = f"the cluster at {address}" if address else "a local Ray cluster"
            raise Fatal(f"cannot reach {where}: {error}") from error
        stack.callback(ray.shutdown)
        stack.enter_context(terminable())  # again: Ray has put its own handler there
        total: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
        cpus = max(1, int(total.get("CPU", 1)))
        yield Cluster(workers=min(workers or cpus, cpus), num_gpus=float(total.get("GPU", 0)))


def available_cpus() -> int:
    """CPUs that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextlib.contextmanager
def terminable() -> Iterator[None]:
    """Turn SIGTERM into KeyboardInterrupt, as ``ray job stop`` and process managers send it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


@contextlib.contextmanager
def _private_folder() -> Iterator[Path]:
    """Yield a short-named temporary folder with an auth token in it; set Ray's token settings to it."""
    root = Path(tempfile.gettempdir())
    if len(str(root)) > _MAX_SOCKET_ROOT:
        root = Path("/tmp")
    _remove_stale(root)
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=root))
    token = folder / "token"
    token.touch(mode=0o600)
    token.write_text(_TOKEN, encoding="utf-8")
    # Ray reads the mode once, on import; after that it turns token mode on by itself where the mode is not set
    mode = None if "ray" in sys.modules else "token"
    try:
        with environment({"RAY_AUTH_MODE": mode, "RAY_AUTH_TOKEN": None, "RAY_AUTH_TOKEN_PATH": str(token)}):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)  # Ray's last processes may still be closing their logs


def _remove_stale(root: Path) -> None:
    """Remove what killed searches of this user left."""
    for folder in root.glob(f"{_PREFIX}*-*"):
        pid = folder.name.removeprefix(_PREFIX).split("-")[0]
        with contextlib.suppress(OSError):  # another search may be removing it too
            mine = folder.stat().st_uid == os.getuid()
            if pid.isdigit() and Path("/proc").is_dir() and not Path(f"/proc/{pid}").exists() and mine:
                shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def environment(values: Mapping[str, str | None]) -> Iterator[None]:
    """Set environment variables for a while, or unset those that are None."""
    before = {name: os.environ.get(name) for name in values}
    _set_environment(values)
    try:
        yield
    finally:
        _set_environment(before)


def _set_environment(values: Mapping[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value

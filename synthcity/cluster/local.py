"""Ray without traces: a private, quiet local cluster, or the running one that ``RAY_ADDRESS`` names.

A local cluster lives in a private temporary folder with its own auth token, and both go when it ends. It listens to
the loopback alone, and nothing is written to the user's home. SIGTERM ends a search like Ctrl-C does. When the driver
is killed outright, Ray's processes end by themselves within seconds; the folder it leaves is removed by the next start.
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import secrets
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from typing import Any

from synthcity import plugins
from synthcity.cluster.job import most_resources
from synthcity.errors import ConfigError, Fatal
from synthcity.private import environment, private_folder, secret_names
from synthcity.watchdog import Watchdog, children

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
# Ray's own name for "this machine alone": with it every port of Ray is bound to the loopback, on Linux as well
_LOOPBACK = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
# Ray reads this when it is imported; its own accounts of a loss, with pages of its logs, may come before our sentence,
# whoever ends Serve is told that its controller cannot be asked any more, and what waits for nodes is called infeasible
_HUSHED = (
    r"has been marked dead|Raylet is terminated|Task ServeController\.\w+ failed\..*killed by `ray\.kill`|"
    r"tasks with infeasible resource requests"
)
os.environ.setdefault("RAY_DEDUP_LOGS_SKIP_REGEX", _HUSHED)
_DAEMONS = ("raylet", "gcs_server")
# children of the raylet, which ends some seconds after one of them; they change their names once they run
_AGENTS = ("agent.py", "main.py", "ray::DashboardAgent", "ray::RuntimeEnvAgent")
_TOKEN = secrets.token_hex(32)  # one a process: Ray caches the first that it reads
_TOKEN_FILE = "token"
_TOKEN_HINT = (
    "; a cluster of `synthcity cluster up` also wants RAY_AUTH_MODE=token and RAY_AUTH_TOKEN_PATH, as it printed them"
)
_BOUNDLESS = 1 << 30  # what an autoscaler without a limit says
_LONGEST = 38  # a socket's path may have 107 bytes; ours and Ray append up to 4 + 65 to the folder


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """What there is to work with, or will be: the most workers at a time, and the part of a GPU that each is given.

    ``num_gpus``: in all; of a cluster that grows, once it has grown. ``is_elsewhere``: other machines may be part of
    it, come and go. ``dashboard``: in words, where Ray's is and what it asks for; empty where none was wanted.
    """

    workers: int
    gpus_per_worker: float = 0.0
    num_gpus: float = 0.0
    is_elsewhere: bool = False
    dashboard: str = ""

    @property
    def resources(self) -> dict[str, float]:
        """Resources of one worker."""
        return {"cpu": 1.0, **({"gpu": self.gpus_per_worker} if self.gpus_per_worker else {})}


def sized(
    workers: int | None, gpus_per_worker: float | None, total: Mapping[str, float], *, is_elsewhere: bool
) -> Cluster:
    """Divide what there is.

    Args:
        workers: the most at a time; None takes as many as have room.
        gpus_per_worker: 0, a part of one, or 1; None divides what there is.
        total: CPUs and GPUs by Ray's names, of a cluster that grows those that it may come to.
        is_elsewhere: machines may come later, so nothing is cut to what there is now.

    Raises:
        ConfigError: workers are to have a GPU and this machine has none, or nothing says how many workers to ask for.
    """
    cpus, gpus = int(total.get("CPU", 0)), float(total.get("GPU", 0))
    if gpus_per_worker and not gpus and not is_elsewhere:
        raise ConfigError(f"search.gpus_per_trial is {gpus_per_worker:g} and this machine has no GPU; set it to 0")
    room = cpus
    if gpus_per_worker and gpus:
        room = min(cpus, int(gpus) * int(1 / gpus_per_worker + 1e-9))
    if is_elsewhere and not (workers or room):
        raise ConfigError(
            "the cluster has no worker yet and does not say how far it may grow; set search.workers to the most trials "
            "at a time"
        )
    count = workers or room if is_elsewhere else min(workers or cpus, max(1, room))
    if gpus_per_worker is None:
        a_gpu = math.ceil(count / gpus) if gpus else 0  # workers to each
        gpus_per_worker = 0.0 if not a_gpu else 1.0 / a_gpu if a_gpu > 1 else float(int(gpus / count))
    return Cluster(workers=max(1, count), gpus_per_worker=gpus_per_worker, num_gpus=gpus, is_elsewhere=is_elsewhere)


@contextlib.contextmanager
def _loopback_alone() -> Iterator[None]:
    """Have Ray bind to the loopback although it was imported, and so read ``_LOOPBACK``, before that was set."""
    from ray._private import ray_constants

    before = ray_constants.ENABLE_RAY_CLUSTER
    ray_constants.ENABLE_RAY_CLUSTER = False
    try:
        yield
    finally:
        ray_constants.ENABLE_RAY_CLUSTER = before


@contextlib.contextmanager
def cluster(
    workers: int | None,
    gpus_per_worker: float | None = None,
    *,
    needed: Iterable[str] = (),
    on_lost: Callable[[str], None] | None = None,
    dashboard: bool = False,
) -> Iterator[Cluster]:
    """Start or join Ray and leave nothing behind.

    Ray's processes inherit no secrets, and listen to this machine alone.

    Args:
        workers: the most trials at a time; None takes one for every CPU that there is or will be.
        gpus_per_worker: 0, a part of a GPU, or 1; None divides what there is.
        needed: how the secrets begin that workers need, e.g. ``AWS_`` for checkpoints on S3.
        on_lost: gets a sentence, on another thread, once a process of a local cluster has ended by itself; None leaves
            that to Ray, which ends this process.
        dashboard: whether to open Ray's dashboard, on the loopback alone; it asks for the cluster's token.

    Raises:
        ConfigError: see ``sized``.
        Fatal: Ray does not start, was lost, or the cluster named by ``RAY_ADDRESS`` does not answer.
    """
    address = os.environ.get("RAY_ADDRESS")
    with contextlib.ExitStack() as stack:
        stack.enter_context(environment(_QUIET))
        for name in ("ray", "ray.tune", "ray.train", "ray.data"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        arguments: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.CRITICAL}
        if address:
            arguments["address"] = address
            if modules := plugins.modules():  # the cluster's machines do not see our folders
                arguments["runtime_env"] = {"py_modules": [str(path) for path in modules]}
        else:
            stack.enter_context(environment({"PYTHONPATH": _python_path()}))
            arguments["include_dashboard"] = dashboard
            arguments["num_cpus"] = workers or available_cpus()
            arguments["_temp_dir"] = str(stack.enter_context(_ray_folder()))
            stack.enter_context(environment(_LOOPBACK))
        import ray  # reads some of the settings above on import

        if not address:
            stack.enter_context(_loopback_alone())
        try:
            with environment(dict.fromkeys(secret_names(os.environ, needed=(*needed, "RAY_")))):
                context = ray.init(**arguments)
        except Exception as error:
            where = f"the cluster at {address}" if address else "a local Ray cluster"
            hint = _TOKEN_HINT if address and "RAY_AUTH_TOKEN_PATH" not in os.environ else ""
            raise Fatal(f"cannot reach {where}: {error}{hint}") from error
        dog = None
        if on_lost is not None and not address and threading.current_thread() is threading.main_thread():
            daemons = children(_DAEMONS)
            agents = [pid for parent in daemons for pid in children(_AGENTS, of=parent)]
            dog = Watchdog({**daemons, **dict.fromkeys(agents, "agent")}, on_lost)
            stack.callback(dog.close)
        stack.callback(ray.shutdown)
        stack.enter_context(terminable())  # again: Ray has put its own handler there
        try:
            found = sized(workers, gpus_per_worker, _total(), is_elsewhere=bool(address))
            yield replace(found, dashboard=_dashboard(context, arguments.get("_temp_dir")) if dashboard else "")
        except BaseException as error:
            if dog is not None and dog.lost is not None:
                raise Fatal(dog.lost) from error
            raise
        finally:
            if dog is not None and dog.lost is None:
                dog.close()


def _dashboard(context: Any, folder: str | None) -> str:
    """Where Ray's dashboard is, and the file with the token that it asks for, which is never told itself."""
    if not context.dashboard_url:
        return "this cluster has none"
    token = f", which asks for the token that `cat {Path(folder).parent / _TOKEN_FILE}` prints" if folder else ""
    return f"http://{context.dashboard_url}{token}"


def _total() -> dict[str, float]:
    """Return all resources of the cluster; of one with an autoscaler those that it may come to."""
    import ray
    from ray._private.state import state

    now: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
    # Ray knows of clusters that it configured; to one of ours its autoscaler tells the plan and nobody else
    most = {**(state.get_max_resources_from_cluster_config() or {}), **most_resources()}
    later = {name: float(count) for name, count in most.items() if count < _BOUNDLESS}
    return {name: max(now.get(name, 0.0), later.get(name, 0.0)) for name in {*now, *later}}


def _python_path() -> str | None:
    """Where workers look for modules that were named by reference, before what they inherit; None where nowhere."""
    folders = [str(path.parent) for path in plugins.modules()]
    inherited = os.environ.get("PYTHONPATH")
    return os.pathsep.join(dict.fromkeys([*folders, *([inherited] if inherited else [])])) or None


def free_memory() -> int:
    """Bytes that new processes may take: of the machine, or of the container if it has fewer; 0 where nothing tells."""
    found = []
    with contextlib.suppress(OSError, StopIteration, ValueError):
        line = next(line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemAvailable:"))
        found.append(1024 * int(line.split()[1]))
    with contextlib.suppress(OSError, ValueError):  # "max" is no number, and no limit
        limit, used = (int(Path(f"/sys/fs/cgroup/memory.{name}").read_text()) for name in ("max", "current"))
        found.append(limit - used)
    return min(found, default=0)


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
def _ray_folder() -> Iterator[Path]:
    """Yield a folder for Ray below a private one, since Ray lets everybody into its own; set its token settings."""
    with private_folder(longest=_LONGEST) as private:
        folder, token = private / "ray", private / _TOKEN_FILE
        folder.mkdir()
        token.touch(mode=0o600)
        token.write_text(_TOKEN, encoding="utf-8")
        # Ray reads the mode once, on import; after that it turns token mode on by itself where the mode is not set
        mode = None if "ray" in sys.modules else "token"
        with environment({"RAY_AUTH_MODE": mode, "RAY_AUTH_TOKEN": None, "RAY_AUTH_TOKEN_PATH": str(token)}):
            yield folder

"""What is kept of a cluster while it is up: its plan, its token, and which process is its head."""

from __future__ import annotations

import contextlib
import fcntl
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from synthcity import strict_json
from synthcity.cluster.plan import Plan
from synthcity.cluster.processes import MARK, Process
from synthcity.documents import parse_yaml, write_yaml
from synthcity.errors import ConfigError, RunError, unknown_name
from synthcity.files import atomic_write
from synthcity.schema import build, plain

_PRIVATE = 0o600
# Ray's variables that name another cluster, node or job; all others are an operator's settings of Ray
_OF_OTHERS = {
    *(
        "RAY_ADDRESS",
        "RAY_API_SERVER_ADDRESS",
        "RAY_AUTH_TOKEN",
        "RAY_CLOUD_INSTANCE_ID",
        "RAY_JOB_CONFIG_JSON_ENV_VAR",
    ),
    *("RAY_NAMESPACE", "RAY_NODE_TYPE_NAME", "RAY_TMPDIR"),
}


@dataclass(frozen=True, kw_only=True)
class Head:
    """The head of a cluster that is up.

    Attributes:
        process: the first of its processes.
        gcs: address and port of Ray's control store.
        url: of the dashboard, to which jobs are submitted.
        ray: where Ray keeps its own files.
        home: the folder that jobs work in, as the one of whoever started the cluster.
        heartbeat: file of the reaper without which nothing is rented; empty where none is asked for.
    """

    process: Process
    gcs: str
    url: str
    ray: str
    home: str
    heartbeat: str = ""


@dataclass(frozen=True)
class Folder:
    """The folder of one cluster."""

    path: Path

    @property
    def token(self) -> Path:
        """File of the cluster's own token, which whoever submits jobs needs."""
        return self.path / "token"

    @property
    def variables(self) -> dict[str, str]:
        """Environment variables by which Ray's programs are let into the cluster."""
        return {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(self.token), "RAY_USAGE_STATS_ENABLED": "0"}

    def environment(self, environ: Mapping[str, str]) -> dict[str, str]:
        """Return what processes of the cluster begin with: all of ``environ`` but what belongs to another cluster."""
        kept = {name: value for name, value in environ.items() if name not in _OF_OTHERS}
        return kept | self.variables | {MARK: str(self.path)}

    @property
    def head(self) -> Head | None:
        """The head; None where none was started, or what there was of it has ended."""
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            data = strict_json.loads((self.path / "head.json").read_text(encoding="utf-8"))
            head = Head(process=Process(*data.pop("process")), **data)
            return head if head.process.is_alive else None
        return None

    def check_down(self) -> None:
        """Raise RunError where the cluster is up."""
        if self.head is not None:
            name = self.path.name
            raise RunError(f"the cluster {name} is up already; `synthcity cluster down {name}` ends it")

    def write_head(self, head: Head) -> None:
        """Note which process is the head."""
        data = {"process": [head.process.pid, head.process.began]}
        data |= {name: getattr(head, name) for name in ("gcs", "url", "ray", "home", "heartbeat")}
        atomic_write(self.path / "head.json", json.dumps(data))

    def write_keeper(self, process: Process) -> None:
        """Note which process keeps the autoscaler running."""
        atomic_write(self.path / "keeper.json", json.dumps([process.pid, process.began]))

    @property
    def is_kept(self) -> bool:
        """Whether that process runs; without it no node comes or goes."""
        with contextlib.suppress(OSError, ValueError, TypeError):
            return Process(*strict_json.loads((self.path / "keeper.json").read_text(encoding="utf-8"))).is_alive
        return False

    @property
    def has_plan(self) -> bool:
        """Whether the cluster was started and not ended in order."""
        return (self.path / "plan.yaml").exists()

    @property
    def plan(self) -> Plan:
        """The plan that the cluster was started with."""
        return build(Plan, parse_yaml((self.path / "plan.yaml").read_text(encoding="utf-8"), str(self.path)))

    def write(self, plan: Plan, autoscaling: Mapping[str, object], token: str) -> None:
        """Write what head and nodes read."""
        atomic_write(self.path / "plan.yaml", write_yaml(plain(plan)))
        atomic_write(self.autoscaling, write_yaml(autoscaling))
        atomic_write(self.token, token, mode=_PRIVATE)

    @property
    def autoscaling(self) -> Path:
        """File that Ray's autoscaler reads."""
        return self.path / "autoscaling.yaml"

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Keep other commands from starting or ending the cluster meanwhile.

        Raises:
            RunError: another one does just that, or the system fails, such as by a full disk.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            with open(self.path / "lock", "ab") as lock:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError as error:
                    text = f"the cluster {self.path.name} is being started or ended by another command; wait for that"
                    raise RunError(text) from error
                yield
        except OSError as error:
            raise RunError(f"the cluster {self.path.name} can be neither started nor ended: {error}") from error


def folder_of(root: Path, name: str) -> Folder:
    """Return the folder of the cluster of a name."""
    return Folder((root / name).absolute())


def find_up(root: Path, name: str | None) -> tuple[Folder, Head]:
    """Return a cluster that is up, without a name the only one.

    Raises:
        ConfigError: there is none, or there are several to choose from.
    """
    folders = [Folder(path.parent.absolute()) for path in sorted(root.glob("*/head.json"))]
    found = {folder.path.name: (folder, head) for folder in folders if (head := folder.head) is not None}
    if not found:
        raise ConfigError(f"no cluster is up in {root}; `synthcity cluster up FILE` starts one")
    if name is None and len(found) > 1:
        raise ConfigError(f"several clusters are up; name one of {', '.join(found)}")
    if name is not None and name not in found:
        raise ConfigError(unknown_name("cluster", name, found))
    return found[name or min(found)]


def ray_command() -> tuple[str, ...]:
    """Return the command that starts Ray, of the same environment as this process."""
    return (sys.executable, "-m", "ray.scripts.scripts", "start")

"""A search or a pipeline that was submitted as a job: where it works, and what did not travel with it.

Ray unpacks what `ray job submit --working-dir` sent in a folder of its own and removes it later, so a run must not lie
there. A job of a cluster that `synthcity cluster up` started works in the folder in which that was called: `runs`,
`.env` and price stores are those of whoever started it, and only the sweep file and code come with the job.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from synthcity.cluster.processes import MARK
from synthcity.errors import ConfigError
from synthcity.private import environment

if TYPE_CHECKING:
    from synthcity.cluster.folder import Folder
    from synthcity.rent import Spent

ROOT = "~/.synthcity/clusters"
"""Where clusters that are up are noted, unless a command is told otherwise."""

_JOB = "RAY_JOB_CONFIG_JSON_ENV_VAR"  # set in a job's first process


def is_job() -> bool:
    """Whether this process was submitted to a cluster."""
    return _JOB in os.environ


def settle(path: Path) -> Path:
    """Go to the folder that a job works in, and return its file, which lies where the job was unpacked.

    Anywhere but in a job of a cluster of ours nothing is done.

    Raises:
        ConfigError: the file did not travel with the job.
    """
    if not is_job():
        return path
    if not path.exists():
        raise ConfigError(
            f"the job does not find {str(path)!r}: only what lies below --working-dir travels with it, and nothing "
            "that .gitignore or .rayignore names"
        )
    folder = _folder()
    head = None if folder is None else folder.head
    if head is None:
        return path
    path = path.absolute()
    os.chdir(head.home)
    return path


def storage() -> str | None:
    """Return the vault in which a cluster of ours keeps the runs of its jobs; None where it does not say."""
    folder = _folder() if is_job() else None
    return folder.plan.storage if folder is not None and folder.has_plan else None


def most_resources() -> dict[str, int]:
    """Return the resources to which the cluster in use may grow, by Ray's names; none where it does not say."""
    folder = _used()
    return folder.plan.resources if folder is not None and folder.has_plan else {}


def check_gpus(gpus_per_worker: float | None) -> None:
    """Refuse workers that would wait for ever.

    Raises:
        ConfigError: they are to have a GPU, and the cluster in use says that it may never have one.
    """
    most = most_resources()
    if gpus_per_worker and most and not most.get("GPU"):
        raise ConfigError(
            f"search.gpus_per_trial is {gpus_per_worker:g} and no node of the cluster file has a GPU; set it to 0"
        )


def spent() -> Spent | None:
    """Return what the cluster in use has cost in its life, by its ledger; None where nothing is rented for it.

    Raises:
        RunError: the ledger cannot be read.
    """
    folder = _used()
    if folder is None or not folder.has_plan or not folder.plan.is_rented:
        return None
    from synthcity.rent import LEDGER, read_ledger

    return read_ledger(folder.path / LEDGER).by(time.time())


def _folder() -> Folder | None:
    """Return the folder of the cluster of ours that this process belongs to."""
    if MARK not in os.environ:
        return None
    from synthcity.cluster.folder import Folder  # loads what plans are made of, which other searches do without

    return Folder(Path(os.environ[MARK]))


def _used() -> Folder | None:
    """Return the folder of the cluster of ours that this process is a job of, or reaches by its address and token."""
    if is_job():
        return _folder()
    address, token = os.environ.get("RAY_ADDRESS"), os.environ.get("RAY_AUTH_TOKEN_PATH")
    if not address or not token:
        return None
    from synthcity.cluster.folder import Folder

    folder = Folder(Path(token).expanduser().parent)
    head = folder.head
    return folder if head is not None and head.gcs == address else None


@contextlib.contextmanager
def on_cluster(name: str | None, root: Path | None = None) -> Iterator[None]:
    """Let what runs meanwhile search on a cluster of ours that is up; None leaves it to this machine.

    Ray reads whose token to use once, when it is imported, so that has to happen within.

    Args:
        name: of the cluster.
        root: where clusters are noted; by default where `synthcity cluster up` notes them.

    Raises:
        ConfigError: none of this name is up, or this process is a job of a cluster already.
    """
    if name is None:
        yield
        return
    from synthcity.cluster.folder import find_up

    if is_job():
        raise ConfigError(f"this is a job of a cluster already, so it cannot search on {name!r}; leave `cluster` out")
    folder, head = find_up(Path(ROOT).expanduser() if root is None else root, name)
    with environment({**folder.variables, "RAY_ADDRESS": head.gcs}):
        yield


def check_kept(output: str, vault: str | None) -> None:
    """Refuse a search whose run would go with its job.

    Raises:
        ConfigError: in a job of another cluster ``output`` is where the job was unpacked, and nothing goes to a vault.
    """
    if is_job() and MARK not in os.environ and not vault and not Path(output).is_absolute():
        raise ConfigError(
            f"output is {output!r}, which Ray removes with the job; set output to a folder of the head that stays, "
            "such as /runs, or vault to where the run is kept, too"
        )


def check_folder(folder: Path) -> None:
    """Refuse a pipeline whose journal would go with its job.

    Raises:
        ConfigError: in a job of another cluster ``folder`` is where the job was unpacked.
    """
    if is_job() and MARK not in os.environ and not folder.is_absolute():
        raise ConfigError(
            f"folder is {str(folder)!r}, which Ray removes with the job; set folder to one of the head that stays, "
            "such as /runs/pipeline"
        )

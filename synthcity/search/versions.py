"""What takes part in a run: versions, and which machine."""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
import subprocess
from pathlib import Path

from synthcity import plugins

_PACKAGES = ("torch", "ray", "optuna", "numpy", "pandas", "pyarrow")


def versions() -> dict[str, str]:
    """Return the versions of what takes part, by name; ``git`` where this file is under version control."""
    found = {"python": platform.python_version()}
    revision = _revision()
    if revision is not None:
        found["git"] = revision
    found |= plugins.distributions()
    for name in ("synth-city", *_PACKAGES):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:  # run from a source tree that is not installed
            found[name] = "not installed"
    return found


def this_machine() -> str:
    """Return what tells this machine from another and gives nothing of it away."""
    return hashlib.sha256(platform.node().encode()).hexdigest()[:12]


def _revision() -> str | None:
    """Return the commit of the checkout that runs, None for an installed copy."""
    here = Path(__file__)
    for arguments in (["ls-files", "--error-unmatch", here.name], ["rev-parse", "HEAD"]):
        try:
            done = subprocess.run(
                ["git", "-C", str(here.parent), *arguments], capture_output=True, text=True, timeout=5
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        if done.returncode:
            return None
    return done.stdout.strip()

"""Packages that only some commands need: which extra brings them, said before a traceback would."""

from __future__ import annotations

import importlib.util
import re
from importlib.metadata import PackageNotFoundError, requires

from synthcity.errors import ConfigError

DISTRIBUTION = "synth-city"
OF_DASHBOARD = ("aiohttp_cors", "opencensus")  # what Ray's dashboard needs, and nothing of ours


def need(what: str, extra: str, *modules: str) -> None:
    """Make sure that the ``modules`` of an ``extra`` are there, before anything is begun.

    Raises:
        ConfigError: one is missing; the text says what needs it and how it is installed.
    """
    for module in modules:
        if importlib.util.find_spec(module) is None:
            raise ConfigError(f"{what} needs {module}; {remedy(extra)}")


def remedy(extra: str) -> str:
    """Return how an extra is installed.

    >>> remedy("serve")
    "pip install 'synth-city[serve]' (in a clone: pip install -c constraints.txt -e '.[serve]')"
    """
    return f"pip install '{DISTRIBUTION}[{extra}]' (in a clone: pip install -c constraints.txt -e '.[{extra}]')"


def extra_of(module: str | None) -> str | None:
    """Return the first extra that brings a missing ``module``, or None where no extra does."""
    name = _normal((module or "").partition(".")[0])
    try:
        lines = requires(DISTRIBUTION) or []
    except PackageNotFoundError:
        return None
    for line in lines:
        package, _, marker = line.partition(";")
        wanted = re.match(r"[A-Za-z0-9._-]+", package)
        if wanted and _normal(wanted[0]) == name and "extra ==" in marker:
            return marker.partition("extra ==")[2].strip().strip("\"'")
    return None


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()

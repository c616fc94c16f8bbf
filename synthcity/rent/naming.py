"""Names of rentals: ``synthcity-<cluster>-<node type>-<12 hex>``.

The market has no tags, so whose machine it is, and of what kind, stands in its name alone. Neither part has a hyphen,
so that no cluster's names begin as another's do, and all of it has 52 characters at most of the market's 64.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass

PREFIX = "synthcity-"
_FORM = re.compile(r"synthcity-([a-z0-9]{1,16})-([a-z0-9]{1,12})-[0-9a-f]{12}")


@dataclass(frozen=True, kw_only=True)
class Named:
    """What a name tells."""

    cluster: str
    node_type: str


def cluster_name(value: object) -> str:
    """Read the name of a cluster.

    Raises:
        ValueError: it is none; the text completes "it must be".
    """
    return _part(value, 16)


def node_type_name(value: object) -> str:
    """Read the name of a node type; raises as :func:`cluster_name`."""
    return _part(value, 12)


def cluster_prefix(cluster: str) -> str:
    """Return how the names of all rentals of a cluster begin."""
    return f"{PREFIX}{cluster_name(cluster)}-"


def new_name(cluster: str, node_type: str) -> str:
    """Return a name that no rental has had."""
    return f"{cluster_prefix(cluster)}{node_type_name(node_type)}-{secrets.token_hex(6)}"


def read_name(name: str) -> Named | None:
    """Return what a name tells; None where it is none of ours."""
    found = _FORM.fullmatch(name)
    return Named(cluster=found[1], node_type=found[2]) if found else None


def _part(value: object, longest: int) -> str:
    if not isinstance(value, str) or not re.fullmatch(f"[a-z0-9]{{1,{longest}}}", value):
        raise ValueError(f"1 to {longest} small letters and digits, since names of rentals hold it")
    return value

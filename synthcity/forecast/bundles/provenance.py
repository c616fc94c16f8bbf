"""What a bundle on disk tells of where it comes from, its members asked where it tells nothing itself."""

from __future__ import annotations

from pathlib import Path

from synthcity.files import standing
from synthcity.forecast.baselines.base import LOADER as BASELINE
from synthcity.forecast.bundles.facts import Facts
from synthcity.forecast.bundles.verified import MAX_DEPTH, read_bundle


def read_facts(folder: Path | str) -> tuple[Facts, ...]:
    """Return the facts of a bundle, or those of its members, each once; a baseline learned nothing and has none.

    Raises:
        BundleError: a file is missing or damaged, or a manifest makes no sense.
    """
    return tuple(_facts(standing(Path(folder)), MAX_DEPTH))


def _facts(folder: Path, depth: int) -> list[Facts]:
    opened = read_bundle(folder)
    if opened.facts.is_known:
        return [opened.facts]
    if opened.parts.loader == BASELINE:
        return []
    if not opened.parts.num_members or not depth:
        return [opened.facts]
    found: list[Facts] = []
    for i in range(opened.parts.num_members):
        found += [one for one in _facts(folder / "members" / str(i), depth - 1) if one not in found]
    return found

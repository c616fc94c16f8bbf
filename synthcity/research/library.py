"""The library: what was kept, one file each with its evidence; a person reads it, promotes it or drops it.

A file ``NAME.json`` is an :class:`Item`. Nothing in it is run by listing or showing it.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from synthcity.errors import ConfigError, RunError, unknown_name
from synthcity.files import atomic_write
from synthcity.research.labbook import Claimed, Origin, Tried
from synthcity.schema import build
from synthcity.seeds import hash_seed

KEPT, PROMOTED, DROPPED = "kept", "promoted", "dropped"


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Why something is in the library.

    Attributes:
        competition: and its ``baseline``, whose volatility an input adds to and whose score a forecaster beats.
        venue: of real prices, or the seed of a world.
        found: its test on the folds for finding.
        confirmed: its claim on the confirming fold.
        folds: by name, as people read them.
        looks: that its arm had taken, and ``tests`` that it had made, all told.
        asked_before: claims that had been asked of days of the confirming fold before, by researches of this library.
        simulated: whether nobody ever paid these prices.
        known_months: of the folds, that the language model may have known; empty for the control and for worlds.
    """

    competition: str
    baseline: str
    prices: str
    found: Tried
    confirmed: Claimed
    folds: Mapping[str, str]
    looks: int
    tests: int
    asked_before: int = 0
    known_months: tuple[str, ...] = ()
    simulated: bool = False


@dataclass(frozen=True, kw_only=True)
class Item:
    """A kept input or forecaster; ``status`` is KEPT until a person says otherwise, with ``reason``."""

    name: str
    status: str
    origin: Origin
    evidence: Evidence
    time: float
    reason: str = field(default="")


def slug(name: str, origin: Origin) -> str:
    """Return a file name for what is kept: its own, and what tells it from others of that name."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "input"
    made_of = {key: value for key, value in asdict(origin).items() if key != "forecaster" or value is not None}
    return f"{plain}-{hash_seed(json.dumps(made_of, sort_keys=True)) % 16**6:06x}"


def add(folder: Path, name: str, origin: Origin, evidence: Evidence) -> Path:
    """Keep an input or a forecaster; one that is there already keeps its status and gets the newer evidence.

    Raises:
        RunError: the library cannot be written.
    """
    path = folder / f"{slug(name, origin)}.json"
    item = Item(name=path.stem, status=KEPT, origin=origin, evidence=evidence, time=time.time())
    if path.exists():
        earlier = read(path)
        item = replace(item, status=earlier.status, reason=earlier.reason)
    _write(path, item)
    return path


def items(folder: Path) -> tuple[list[Item], list[str]]:
    """Return what a library holds, oldest first, and a sentence for each file that cannot be read."""
    found, problems = [], []
    for path in sorted(folder.glob("*.json")) if folder.is_dir() else ():
        try:
            found.append(read(path))
        except RunError as error:
            problems.append(str(error))
    return sorted(found, key=lambda item: (item.time, item.name)), problems


def find(folder: Path, name: str) -> Item:
    """Return the item of a name.

    Raises:
        ConfigError: there is none.
        RunError: its file cannot be read.
    """
    path = folder / f"{name}.json"
    if Path(name).name != name or not path.is_file():
        raise ConfigError(unknown_name("item", name, [item.name for item in items(folder)[0]]) + f" (in {folder})")
    return read(path)


def decide(folder: Path, name: str, status: str, reason: str) -> Item:
    """Let a person promote or drop an item.

    Raises:
        ConfigError: there is none of this name.
        RunError: the library cannot be read or written.
    """
    item = replace(find(folder, name), status=status, reason=reason)
    _write(folder / f"{name}.json", item)
    return item


def read(path: Path) -> Item:
    """Read one file.

    Raises:
        RunError: it is no item of a library.
    """
    try:
        data: Any = json.loads(path.read_text(encoding="utf-8"))
        item = build(Item, data, where=str(path))
    except (OSError, ValueError, ConfigError) as error:
        raise RunError(f"{path} is no item of a library: {error}") from error
    if item.status not in (KEPT, PROMOTED, DROPPED):
        raise RunError(f"{path} is no item of a library: its status is {item.status!r}")
    return item


def _write(path: Path, item: Item) -> None:
    try:
        atomic_write(path, json.dumps(asdict(item), indent=1, ensure_ascii=False, allow_nan=False) + "\n")
    except OSError as error:
        raise RunError(f"cannot write {path}: {error.strerror or error}") from error

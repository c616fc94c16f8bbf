"""The run folder: which one a search writes to, and whether it may."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from synthcity.documents import read_yaml, write_yaml
from synthcity.durations import LONGEST, write_duration
from synthcity.errors import ConfigError, RunError
from synthcity.files import atomic_write
from synthcity.search.config import SearchConfig, parse_config
from synthcity.search.journal.events import Event
from synthcity.search.journal.journal import JOURNAL, read_events

RESOLVED = "resolved.yaml"
_DURATIONS = (("data", "validation_every"), ("data", "test_every"), ("search", "time_budget"), ("search", "trial_time"))
# what may change between a search and its continuation: how long, on what, where things lie, and all of llm
_FREE = {
    "name",
    "output",
    "vault",
    "track",
    "data.path",
    "search.trials",
    "search.time_budget",
    "search.workers",
    "search.gpus_per_trial",
    "search.finals_share",
}


def run_folder(config: SearchConfig, stem: str, *, resume: bool) -> Path:
    """Return the folder of a new search, or of the one to resume.

    Without a name in ``config`` a new search gets ``stem``, or ``stem-2`` and so on where that is taken; a resumed
    one takes the newest of these.

    Raises:
        RunError: the named folder already holds a run, or there is none to resume.
    """
    output = Path(config.output).absolute()
    if config.name is not None:
        folder = output / config.name
        taken = _taken(folder)
        if taken and not resume:
            raise RunError(f"{folder} already holds a run; add --resume to continue it or choose another --name")
        if resume and not taken:
            raise RunError(f"there is no run to resume in {folder}; leave out --resume to start one")
        return folder
    used = [number for number in _numbers(output, stem) if _taken(_numbered(output, stem, number))]
    if resume:
        if not used:
            raise RunError(f"there is no run {stem!r} to resume in {output}; leave out --resume or give --name")
        return _numbered(output, stem, max(used))
    return _numbered(output, stem, max(used, default=0) + 1)


def write_resolved(folder: Path, config: SearchConfig) -> None:
    """Write the complete config of a new run.

    Raises:
        RunError: the folder cannot be written.
    """
    try:
        atomic_write(folder / RESOLVED, write_yaml(config.to_dict()))
    except OSError as error:
        raise RunError(f"cannot write {folder / RESOLVED}: {error.strerror or error}") from error


def read_resolved(folder: Path) -> SearchConfig:
    """Return the config that a run was started with.

    Durations without a unit are seconds here: runs of before units were asked for wrote them so. A run from before
    networks were told of bursts, or of the calendar, goes on without.

    Raises:
        RunError: the file is not there, or is damaged.
    """
    try:
        document = read_yaml(folder / RESOLVED, "sweep file")
        with document.located():
            return parse_config(_as_told(_with_units(document.data)))
    except ConfigError as error:
        raise RunError(f"cannot read the config of the run in {folder}: {error}") from error


def _with_units(data: object) -> object:
    """Write the seconds of an earlier run's config as durations."""
    if not isinstance(data, Mapping):
        return data
    plain = dict(data)
    for section, name in _DURATIONS:
        held = plain.get(section)
        if isinstance(held, Mapping) and type(held.get(name)) in (int, float) and 0 < held[name] <= LONGEST:
            plain[section] = {**held, name: write_duration(held[name])}
    return plain


def _as_told(data: object) -> object:
    """Write into an earlier run's config what its networks were not told."""
    held = data.get("data") if isinstance(data, Mapping) else None
    if not isinstance(data, Mapping) or not isinstance(held, Mapping):
        return data
    return {**data, "data": {"bursts": False, "calendar": False, **held}}


def resumed_config(folder: Path, settings: Iterable[str]) -> SearchConfig:
    """Return the config that a run goes on with: its own, with ``key=value`` settings over it.

    Raises:
        ConfigError: a setting would change what decides results, or is none.
        RunError: the folder's own config cannot be read.
    """
    config = parse_config(read_resolved(folder).to_dict(), settings)
    check_resumable(folder, config)
    return config


def check_resumable(folder: Path, config: SearchConfig) -> None:
    """Refuse to continue a run under another config; budget and paths may change.

    Raises:
        ConfigError: a key that decides results differs.
        RunError: the folder's own config cannot be read.
    """
    before = read_resolved(folder)
    for key, (old, new) in differences(before, config).items():
        if key not in _FREE and not key.startswith("llm."):
            raise ConfigError(
                f"{key} is {new!r} but the run in {folder} was started with {old!r}; "
                "a run is resumed under its own config"
            )


def differences(before: SearchConfig, after: SearchConfig) -> dict[str, tuple[object, object]]:
    """Return by dotted key what differs between two configs."""
    old, new = _flat(before.to_dict()), _flat(after.to_dict())
    keys = sorted(old.keys() | new.keys())
    return {key: (old.get(key), new.get(key)) for key in keys if old.get(key) != new.get(key)}


def read_run(folder: Path) -> tuple[SearchConfig, list[Event]]:
    """Return the config and the events of a run, which may be going on.

    Raises:
        RunError: it is none, or is damaged.
    """
    if not (folder / JOURNAL).is_file():
        raise RunError(f"there is no run in {str(folder)!r}: it has no {JOURNAL}")
    return read_resolved(folder), read_events(folder / JOURNAL)


def _taken(folder: Path) -> bool:
    """Whether a run got as far as its first event; a folder without one may be used again."""
    journal = folder / JOURNAL
    return journal.exists() and journal.stat().st_size > 0


def _numbered(output: Path, stem: str, number: int) -> Path:
    return output / (stem if number == 1 else f"{stem}-{number}")


def _numbers(output: Path, stem: str) -> list[int]:
    if not output.is_dir():
        return []
    found = (re.fullmatch(re.escape(stem) + r"(?:-(\d+))?", entry.name) for entry in output.iterdir())
    return [int(match[1] or 1) for match in found if match]


def _flat(data: Mapping[str, object], prefix: str = "") -> dict[str, object]:
    flat: dict[str, object] = {}
    for name, value in data.items():
        if isinstance(value, Mapping):
            flat.update(_flat(value, f"{prefix}{name}."))
        else:
            flat[prefix + name] = value
    return flat

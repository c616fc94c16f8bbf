"""The folder of a research: where it lies, and the files that are written whole."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from synthcity.documents import write_yaml
from synthcity.errors import ConfigError, RunError
from synthcity.files import atomic_write
from synthcity.research.config import ResearchConfig
from synthcity.research.labbook import NAME
from synthcity.schema import plain

STEM, RESOLVED, RESULT = "research", "resolved.yaml", "result.json"


def new_folder(config: ResearchConfig) -> Path:
    """Return the folder of a new research: by its name, or the first free number.

    Raises:
        ConfigError: the name is none of a folder.
        RunError: the named folder already holds a research.
    """
    output = Path(config.output)
    if config.name is not None:
        if Path(config.name).name != config.name or config.name in ("", ".", ".."):
            raise ConfigError(f"name must be a plain folder name, got {config.name!r}")
        if _taken(output / config.name):
            raise RunError(f"{output / config.name} already holds a research; choose another name")
        return output / config.name
    number, found = 1, output / STEM
    while _taken(found):
        number += 1
        found = output / f"{STEM}-{number}"
    return found


def resumed_folder(folder: Path) -> Path:
    """Return the folder of a research that is to go on.

    Raises:
        RunError: it holds none.
    """
    if not _taken(folder) or not (folder / RESOLVED).is_file():
        raise RunError(f"{folder} holds no research to go on with; leave out --resume to begin one")
    return folder


def write_resolved(folder: Path, config: ResearchConfig) -> None:
    """Write the complete research file.

    Raises:
        RunError: the folder cannot be written.
    """
    _write(folder / RESOLVED, write_yaml(plain(config)))


def write_result(folder: Path, result: Mapping[str, object]) -> None:
    """Write what came of it.

    Raises:
        RunError: the folder cannot be written.
    """
    _write(folder / RESULT, json.dumps(result, indent=1, allow_nan=False) + "\n")


def _write(path: Path, text: str) -> None:
    try:
        atomic_write(path, text)
    except OSError as error:
        raise RunError(f"cannot write {path}: {error.strerror or error}") from error


def _taken(folder: Path) -> bool:
    book = folder / NAME
    return book.exists() and book.stat().st_size > 0

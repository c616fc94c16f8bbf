"""Networks that people wrote down: those that came with the package, by name, and those of a sweep file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources

from synthcity import plugins
from synthcity.documents import parse_yaml
from synthcity.errors import ConfigError, unknown_name
from synthcity.search.candidates.candidate import Config
from synthcity.wording import chain


@dataclass(frozen=True, kw_only=True)
class Preset:
    """A named network; ``doc`` says in a line what it is, ``config`` is what ``NetConfig.from_dict`` reads."""

    name: str
    doc: str
    config: Config


def presets() -> dict[str, Preset]:
    """Read ``nets/candidates/*.yaml`` in the order of their file names; a preset is named after its file.

    Raises:
        ConfigError: a file is no YAML mapping.
    """
    folder = resources.files("synthcity.nets").joinpath("candidates")
    files = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".yaml")), key=lambda entry: entry.name)
    found = (_read(entry.name, entry.read_text(encoding="utf-8")) for entry in files)
    return {preset.name: preset for preset in found}


def hand_written(candidates: Iterable[str | Config] | None) -> list[tuple[str, Config]]:
    """Return name and config of each of ``candidates``: presets by name and plain configs; None means all presets.

    A block or head may be named ``module:Name`` there, since a person wrote it: it is imported.

    Raises:
        ConfigError: a name is no preset or a config no network; the text gives the nearest valid name.
    """
    from synthcity.nets.config import NetConfig  # with torch, which names alone do not need

    known = presets()
    found: list[tuple[str, Config]] = []
    for candidate in known if candidates is None else candidates:
        if isinstance(candidate, Mapping):
            _allow(candidate)
            found.append((NetConfig.from_dict(candidate).label, candidate))
        elif candidate in known:
            found.append((candidate, known[candidate].config))
        else:
            raise ConfigError(unknown_name("preset", candidate, known))
    return found


def introduced(candidates: Iterable[str | Config] | None) -> list[str]:
    """Name them as far as nothing need be loaded, as in "lstm_gbm (lstm>gbm)"; whether they are networks is not asked.

    Raises:
        ConfigError: a name is no preset; the text gives the nearest valid one.
    """
    known = presets()
    names = list(known if candidates is None else candidates)
    if strange := [name for name in names if isinstance(name, str) and name not in known]:
        raise ConfigError(unknown_name("preset", strange[0], known))
    return [f"{name} ({_chain(known[name].config)})" if isinstance(name, str) else _chain(name) for name in names]


def _chain(config: Config) -> str:
    *blocks, head = (str(part.get("name", "?")) for part in _parts({"head": {"name": "gbm"}, **config}))
    return chain(blocks, head)


def _allow(config: Config) -> None:
    for part in _parts(config):
        name = part.get("name")
        if isinstance(name, str) and plugins.is_reference(name):
            plugins.allow(name)


def _parts(config: Config) -> list[Mapping[str, object]]:
    """Blocks, then the head, as far as they are what they should be."""
    blocks, head = config.get("blocks"), config.get("head", {})
    parts = [*(blocks if isinstance(blocks, list | tuple) else ()), head]
    return [part if isinstance(part, Mapping) else {} for part in parts]


def _read(file: str, text: str) -> Preset:
    config = parse_yaml(text, f"the packaged candidate {file}")
    if not isinstance(config, Mapping):
        raise ConfigError(f"the packaged candidate {file} must hold keys and values")
    name = re.sub(r"^\d+_", "", file.removesuffix(".yaml"))  # the number orders the files
    return Preset(name=name, doc=text.partition("\n")[0].lstrip("# "), config=config)

"""The file that ``synthcity serve --config`` reads: ``configs/serve.yaml`` shows and explains every key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import yaml

from synthcity.errors import ConfigError
from synthcity.schema import build
from synthcity.serve.build import ServeConfig
from synthcity.serve.deployment import ClusterConfig


@dataclass(frozen=True, kw_only=True)
class ServeFile:
    """What to serve and to whom, and where it runs."""

    service: ServeConfig
    cluster: ClusterConfig = field(default_factory=ClusterConfig)


def load_serving(
    path: Path | str | None = None,
    *,
    service: Mapping[str, Any] | None = None,
    cluster: Mapping[str, Any] | None = None,
) -> ServeFile:
    """Read the file, if there is one, with values that go before it.

    Without ``rest`` people and tools may ask at a loopback address alone. Folders are made absolute, since a replica
    runs elsewhere.

    Args:
        path: of the YAML file; None: ``service`` and ``cluster`` say all.
        service, cluster: keys of the sections of that name; those that are None leave what the file says.

    Raises:
        ConfigError: the file cannot be read, a key is unknown or missing, or a value is wrong.
    """
    data = {} if path is None else _read(path)
    for name, values in (("service", service or {}), ("cluster", cluster or {})):
        section = data.get(name)
        if section is not None and not isinstance(section, Mapping):
            raise ConfigError(f"{name} must hold keys and values, got {section!r}")
        data[name] = {**(section or {}), **{key: value for key, value in values.items() if value is not None}}
    for name, remedy in (("model", "BUNDLE|BASELINE"), ("store", "--data STORE")):
        if data["service"].get(name) is None:
            raise ConfigError(f"nothing says what {name} to use: name {remedy}, or service.{name} in a --config file")
    rest = data["service"].pop("rest", None)
    host = data["cluster"].get("host", ClusterConfig.host)
    try:
        public = not ip_address(host).is_loopback
    except ValueError:
        raise ConfigError(f"{host!r} is no address to listen at; use e.g. 127.0.0.1 or 0.0.0.0") from None
    data["service"]["rest"] = not public if rest is None else rest
    found = build(ServeFile, data)
    return replace(found, service=_absolute(found.service))


def _absolute(service: ServeConfig) -> ServeConfig:
    metagraph = service.metagraph
    return replace(
        service,
        model=_found(service.model),
        challenger=None if service.challenger is None else _found(service.challenger),
        store=str(Path(service.store).resolve()),
        state=str(Path(service.state).resolve()),
        metagraph=None if metagraph is None else str(Path(metagraph).resolve()),
    )


def _found(model: str) -> str:
    """The folder of a bundle from the root on; the name of a baseline as it is."""
    return str(Path(model).resolve()) if Path(model).exists() else model


def _read(path: Path | str) -> dict[str, Any]:
    try:
        data = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read the file {str(path)!r}: {error}") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark else ""
        raise ConfigError(f"the file {str(path)!r} is no valid YAML{where}") from error
    if not isinstance(data, Mapping):
        raise ConfigError(f"the file {str(path)!r} must hold keys and values, got {data!r}")
    return dict(data)

"""The file that ``synthcity serve --config`` reads: ``configs/serve.yaml`` shows and explains every key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from synthcity.documents import Document, read_yaml
from synthcity.errors import ConfigError
from synthcity.forecast.bundles.choose import located
from synthcity.market.store.opening import absolute
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
    service: Mapping[str, object] | None = None,
    cluster: Mapping[str, object] | None = None,
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
    document = Document(path="", data={}) if path is None else read_yaml(path, "service file")
    given = {"service": service or {}, "cluster": cluster or {}}
    set_here = [f"{name}.{key}" for name, values in given.items() for key, value in values.items() if value is not None]
    with document.located(set_here):
        found = build(ServeFile, _joined(document.data, given))
    return replace(found, service=_absolute(found.service))


def _joined(data: object, given: Mapping[str, Mapping[str, object]]) -> dict[str, Any]:
    """Put what was ``given`` over the sections of the file, and decide who may ask."""
    if not isinstance(data, Mapping):
        raise ConfigError(f"the file must hold keys and values, got {data!r}")
    joined = dict(data)
    for name, values in given.items():
        section = data.get(name)
        if section is not None and not isinstance(section, Mapping):
            raise ConfigError(f"{name} must hold keys and values, got {section!r}")
        joined[name] = {**(section or {}), **{key: value for key, value in values.items() if value is not None}}
    for name, remedy in (("model", "BUNDLE|BASELINE"), ("store", "--data STORE")):
        if joined["service"].get(name) is None:
            raise ConfigError(f"nothing says what {name} to use: name {remedy}, or service.{name} in a --config file")
    if joined["service"].get("rest") is None:
        joined["service"]["rest"] = _is_private(joined["cluster"].get("host", ClusterConfig.host))
    return joined


def _is_private(host: object) -> bool:
    try:
        return ip_address(str(host)).is_loopback
    except ValueError:  # it is refused by its own name
        return True


def _absolute(service: ServeConfig) -> ServeConfig:
    metagraph = service.metagraph
    return replace(
        service,
        model=located(service.model),
        challenger=None if service.challenger is None else located(service.challenger),
        store=absolute(service.store),
        state=str(Path(service.state).resolve()),
        metagraph=None if metagraph is None else str(Path(metagraph).resolve()),
    )

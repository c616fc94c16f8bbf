"""Secrets and endpoints: the environment and ``.env`` in, one frozen ``Settings`` out."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from urllib.parse import urlsplit

_VENUE_URL = re.compile(r"SYNTHCITY_(\w+)_URL")
CHUTES_URL = "https://llm.chutes.ai/v1"


class Secret:
    """A value that shows itself only to ``reveal()``: never in a repr, an error text or a pickle.

    A pickle of it holds the names of its variables; where it is unpickled they are read again.
    """

    __slots__ = ("_names", "_value")

    def __init__(self, value: str = "", names: Iterable[str] = ()) -> None:
        """Args: ``names`` are the environment variables that it may come from, the first that is set wins."""
        self._value, self._names = value, tuple(names)

    @classmethod
    def find(cls, values: Mapping[str, str], names: Iterable[str]) -> Secret:
        """Return the first of ``names`` that ``values`` sets to something, else an empty secret."""
        names = tuple(names)
        return cls(next((values[name].strip() for name in names if values.get(name, "").strip()), ""), names)

    def reveal(self) -> str:
        """Return the value itself; empty where none was set."""
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __repr__(self) -> str:
        return f"Secret({'set' if self else 'empty'})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __reduce__(self) -> tuple[object, ...]:
        return _find_again, (self._names,)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that comes from outside a sweep file.

    Each field is read from the environment variable ``SYNTHCITY_<FIELD>`` in upper case; a variable that is
    set wins over the same line in ``.env``. ``CHUTES_API_KEY`` stands in for ``SYNTHCITY_LLM_API_KEY`` where
    ``llm_base_url`` belongs to Chutes, and is sent nowhere else. ``venue_urls`` holds every other
    ``SYNTHCITY_<VENUE>_URL``, by the venue's name in lower case.
    """

    venue_urls: Mapping[str, str] = field(default_factory=dict, hash=False)
    synth_api_url: str = "https://api.synthdata.co"
    real_data: str = ""
    llm_base_url: str = CHUTES_URL
    llm_api_key: Secret = field(default_factory=Secret)
    alarm_webhook: Secret = field(default_factory=Secret)

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None, dotenv: Path | None = None) -> Settings:
        """Read the environment (default ``os.environ``) over ``dotenv`` (default ``./.env``)."""
        values = _read_environment(environ, dotenv)
        names = {field.name: f"SYNTHCITY_{field.name.upper()}" for field in fields(cls)}
        key_name, webhook_name = names.pop("llm_api_key"), names.pop("alarm_webhook")
        del names["venue_urls"]
        plain = {name: values[variable] for name, variable in names.items() if variable in values}
        key_names = [key_name]
        if is_chutes(plain.get("llm_base_url", CHUTES_URL)):
            key_names.append("CHUTES_API_KEY")
        return cls(
            **plain,
            venue_urls=_venue_urls(values, names.values()),
            llm_api_key=Secret.find(values, key_names),
            alarm_webhook=Secret.find(values, [webhook_name]),
        )


def is_chutes(url: str) -> bool:
    """Whether ``url`` is served by Chutes, and nobody can listen on the way."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    return parts.scheme == "https" and (host == "chutes.ai" or host.endswith(".chutes.ai"))


def _venue_urls(values: Mapping[str, str], taken: Iterable[str]) -> dict[str, str]:
    found = {name: _VENUE_URL.fullmatch(name) for name in values.keys() - set(taken)}
    return {match[1].lower(): values[name] for name, match in found.items() if match and values[name].strip()}


def _find_again(names: tuple[str, ...]) -> Secret:
    return Secret.find(_read_environment(), names)


def _read_environment(environ: Mapping[str, str] | None = None, dotenv: Path | None = None) -> dict[str, str]:
    values = _read_dotenv(Path(".env") if dotenv is None else dotenv)
    values.update(os.environ if environ is None else environ)
    return values


def _read_dotenv(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    values = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        key, separator, value = line.strip().partition("=")
        if separator and not key.startswith("#"):
            values[key.removeprefix("export ").strip()] = value.strip().strip("'\"")
    return values

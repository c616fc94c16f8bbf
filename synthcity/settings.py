"""Secrets and endpoints: the environment and ``.env`` in, one frozen ``Settings`` out."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that comes from outside a sweep file.

    Each field is read from the environment variable ``SYNTHCITY_<FIELD>`` in upper case; a variable that is
    set wins over the same line in ``.env``.
    """

    binance_url: str = "https://api.binance.com"
    hyperliquid_url: str = "https://api.hyperliquid.xyz"
    real_data: str = ""

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None, dotenv: Path | None = None) -> Settings:
        """Read the environment (default ``os.environ``) over ``dotenv`` (default ``./.env``)."""
        values = _read_dotenv(Path(".env") if dotenv is None else dotenv)
        values.update(os.environ if environ is None else environ)
        names = {field.name: f"SYNTHCITY_{field.name.upper()}" for field in fields(cls)}
        return cls(**{name: values[variable] for name, variable in names.items() if variable in values})


def _read_dotenv(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    values = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        key, separator, value = line.strip().partition("=")
        if separator and not key.startswith("#"):
            values[key.removeprefix("export ").strip()] = value.strip().strip("'\"")
    return values

"""The key of a bridge: that of the environment, else one that is made once and lies beside its state."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from synthcity.errors import ConfigError
from synthcity.files import PRIVATE, atomic_write
from synthcity.settings import Secret, Settings

KEY = "key"
_SHORTEST = 16


def bridge_key(state: Path, settings: Settings) -> Secret:
    """Return the key; where the environment has none it is read from ``state``, and made there the first time.

    Raises:
        ConfigError: it is too short, others may read it, or it cannot be written.
    """
    if settings.bridge_api_key:
        if len(settings.bridge_api_key.reveal()) < _SHORTEST:
            raise ConfigError(f"BRIDGE_API_KEY has fewer than {_SHORTEST} characters; `openssl rand -hex 32` makes one")
        return settings.bridge_api_key
    found = local_key(state)
    if found:
        return found
    try:
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
        atomic_write(state / KEY, secrets.token_urlsafe(32) + "\n", mode=PRIVATE)
    except OSError as error:
        raise ConfigError(f"cannot write a key to {str(state)!r}: {error.strerror or error}") from error
    return local_key(state)


def local_key(state: Path) -> Secret:
    """Return the key that lies in ``state``; empty where there is none or this user may not read it.

    Raises:
        ConfigError: others may read it.
    """
    path = state / KEY
    with contextlib.suppress(FileNotFoundError, NotADirectoryError, PermissionError):
        if path.stat().st_mode & 0o077:
            raise ConfigError(f"others may read the key in {str(path)!r}; remove it, and the bridge makes a new one")
        return Secret(path.read_text(encoding="utf-8", errors="replace").strip(), (os.fspath(path),))
    return Secret()

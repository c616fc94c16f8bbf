"""From what a person wrote to a vault."""

from __future__ import annotations

import os
import re

from synthcity.errors import ConfigError
from synthcity.settings import Settings
from synthcity.vault.base import Vault
from synthcity.vault.folder import FolderVault

_BUCKET = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/([A-Za-z0-9._=/-]*))?")


def vault_address(value: object) -> str:
    """Read a vault's address: a folder, or ``s3://bucket/prefix``.

    Raises:
        ValueError: it is none; the text completes "it must be".
        ConfigError: it holds a key or another scheme; the text does not show it.
    """
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        raise ValueError("a folder or s3://bucket/prefix")
    if "://" in value and ("@" in value or "?" in value):
        raise ConfigError("a vault's address holds no keys or options; write s3://bucket/prefix and set HIPPIUS_*")
    if "://" in value and not _BUCKET.fullmatch(value):
        raise ValueError("a folder or s3://bucket/prefix, where a prefix has letters, digits and . _ = - /")
    return os.path.expanduser(value)


def open_vault(address: str = "", settings: Settings | None = None) -> Vault:
    """Open the vault at ``address``; by default the bucket that HIPPIUS_BUCKET names. Nothing is asked of it yet.

    Raises:
        ConfigError: the address is none, a key is missing or cannot be one, or what speaks S3 is not installed.
    """
    settings = Settings.load() if settings is None else settings
    address = address or (f"s3://{settings.hippius_bucket}" if settings.hippius_bucket else "")
    if not address:
        raise ConfigError("no vault is named; give --vault FOLDER or s3://bucket/prefix, or set HIPPIUS_BUCKET")
    try:
        address = vault_address(address)
    except ValueError as error:
        raise ConfigError(f"a vault's address must be {error}, got {address!r}") from None
    match = _BUCKET.fullmatch(address)
    if match is None:
        return FolderVault(address)
    from synthcity.vault.s3 import S3Vault

    return S3Vault(match[1], match[2] or "", settings)

"""From what a user names to a store."""

from __future__ import annotations

from pathlib import Path

from synthcity.errors import ConfigError
from synthcity.market.store.parquet import Store
from synthcity.market.store.price_store import PriceStore


def open_store(where: Path | str) -> PriceStore:
    """Return the store at ``where``, a folder; it need not exist yet.

    Raises:
        ConfigError: it is a URL, which no store here serves.
    """
    if "://" in str(where):
        raise ConfigError(f"no store serves {where}; name a folder")
    return Store(where)

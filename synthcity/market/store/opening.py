"""From what a user names to a store."""

from __future__ import annotations

from pathlib import Path

from synthcity import plugins
from synthcity.errors import ConfigError, unknown_name
from synthcity.market.store.parquet import Store
from synthcity.market.store.price_store import PriceStore


def is_address(where: Path | str) -> bool:
    """Whether it names a store that is no folder, such as ``lab://prices``."""
    return "://" in str(where)


def absolute(where: Path | str) -> str:
    """Return the name of a store that means the same in another working directory."""
    return str(where) if is_address(where) else str(Path(where).resolve())


def open_store(where: Path | str) -> PriceStore:
    """Return the store at ``where``: a folder, which need not exist yet, or an address such as ``lab://prices``.

    The word before ``://`` is the name of an entry point ``synthcity.stores``, which is called with the whole address.

    Raises:
        ConfigError: no installed distribution serves such an address, or what it brings is no store.
    """
    if not is_address(where):
        return Store(where)
    scheme, known = str(where).partition("://")[0], plugins.installed("stores")
    if scheme not in known:
        hint = unknown_name("kind of store", scheme, known) if known else "no distribution brings such stores"
        raise ConfigError(f"no store serves {where} ({hint}); name a folder, or install what does")
    make = plugins.load(known[scheme])
    store = make(str(where)) if callable(make) else make
    if not isinstance(store, PriceStore):
        raise ConfigError(f"the {known[scheme]} is no PriceStore but {type(store).__name__}")
    return store

"""Prices that stay: what a store offers, and the one of Parquet files."""

from synthcity.market.store.opening import open_store
from synthcity.market.store.parquet import Store
from synthcity.market.store.price_store import PriceStore
from synthcity.market.store.series import Series

__all__ = ["PriceStore", "Series", "Store", "open_store"]

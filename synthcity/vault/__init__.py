"""Runs, bundles and price stores kept elsewhere too: in a folder, or in a bucket that speaks S3.

A vault is a mirror: everything works without one, and a search never waits for it. No torch, no Ray.
"""

from synthcity.vault.base import Vault
from synthcity.vault.entry import Entry
from synthcity.vault.opening import open_vault
from synthcity.vault.pulling import find, list_bundles, list_runs, list_stores, pull
from synthcity.vault.pushing import push_bundle, push_run, push_store

__all__ = [
    "Entry",
    "Vault",
    "find",
    "list_bundles",
    "list_runs",
    "list_stores",
    "open_vault",
    "pull",
    "push_bundle",
    "push_run",
    "push_store",
]

"""The firewall's rules that go with a miner, as a file for ``nft``."""

from __future__ import annotations

from importlib.resources import files

SHARE = 256
"""Connections of one source at a time; HAProxy's own share is smaller, and holds only where connections are scarce."""


def firewall(port: int) -> str:
    """Return rules of nftables that leave ``port`` open and close what Ray may open beside it."""
    text = (files("synthcity.serve.ingress") / "firewall.nft").read_text(encoding="utf-8")
    return text.replace("PORT", str(port)).replace("SHARE", str(SHARE))

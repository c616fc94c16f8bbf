"""Node types, rentals and lessors as tests need them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

from synthcity.rent import Lessor, Limits, Market, NodeType, Patience, Rental
from synthcity.settings import Secret, Settings
from tests.standins.account import BEGUN
from tests.standins.market import TOKEN, Running

PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIH synthcity"
NAME = "synthcity-syntha-gpu-0123456789ab"
QUICK = Patience(connect=1.0, start=1.0, answer=1.0, first_wait=0.0)  # long enough for a machine that others use, too


class Virtual:
    """The market's clock: waiting moves it, and so does a request that hangs. It is read from a file."""

    def __init__(self, server: Running, path: Path) -> None:
        self._server, self._path = server, path
        path.write_text(repr(BEGUN).ljust(32))
        server.set(clock_file=str(path))

    @classmethod
    def reading(cls, server: Running, path: Path) -> Virtual:
        """Return the clock that another process has begun."""
        clock = cls.__new__(cls)
        clock._server, clock._path = server, path
        return clock

    def now(self) -> float:
        return float(self._path.read_text())

    def sleep(self, seconds: float) -> None:
        self._server.advance(seconds)


def node_type(**values: object) -> NodeType:
    plain = {"name": "gpu", "gpus": ("A100",), "max_nodes": 4, "max_hourly_rate": Decimal("1.50"), **values}
    return NodeType(**plain)


def limits(hourly: str = "4.00", spend: str = "60") -> Limits:
    return Limits(hourly=Decimal(hourly), spend=Decimal(spend))


def rental(name: str = NAME, **values: object) -> Rental:
    plain = {"node_type": "gpu", "kind": "gpu", "max_hourly": Decimal("1.50"), "asked": BEGUN, "seen": BEGUN, **values}
    return Rental(name=name, **plain)


def market(server: Running, clock: Virtual, **values: object) -> Market:
    plain = {"patience": QUICK, "now": clock.now, "sleep": clock.sleep, **values}
    return Market(server.url, Secret(TOKEN), **plain)


def lessor(
    server: Running, clock: Virtual, folder: Path, environ: Mapping[str, str] | None = None, **values: object
) -> Lessor:
    types = values.pop("types", [node_type()])
    plain = {"limits": limits(), **values}
    return Lessor(
        "syntha",
        types,
        market=market(server, clock),
        ledger=folder / "syntha.jsonl",
        public_key=PUBLIC_KEY,
        settings=Settings.load(environ or {}, folder / ".env"),
        **plain,
    )

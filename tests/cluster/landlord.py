"""Boots a stand-in machine for all that is rented of the market's stand-in, and pulls the plug when a rental ends."""

from __future__ import annotations

import threading
import time
from types import TracebackType

from tests.cluster.machine import Machine
from tests.standins.market import Running

_TICK = 0.5  # seconds


class Landlord:
    """A context manager; ``machines`` are those that ever ran, by name, ``began`` and ``ended`` tell when.

    A machine that powers itself off stays rented, as at the market.
    """

    def __init__(self, market: Running) -> None:
        self.machines: dict[str, Machine] = {}
        self.began: dict[str, float] = {}
        self.ended: dict[str, float] = {}
        self._market = market
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        market.set(logins={})

    def __enter__(self) -> Landlord:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()
        for machine in self.machines.values():
            machine.close()

    def _watch(self) -> None:
        while not self._done.wait(_TICK):
            told = self._market.state()
            living = {one["name"] for one in told["living"]}
            for name in living - self.machines.keys():
                self.began[name] = time.time()
                machine = self.machines[name] = Machine(len(self.machines) + 1, told["key"]["public_key"])
                machine.boot()
            for name in self.machines.keys() - living - self.ended.keys():
                self.machines[name].kill()
                self.ended[name] = time.time()
            logins = {name: f"root@{one.host}" for name, one in self.machines.items() if name in living}
            self._market.set(logins=logins)

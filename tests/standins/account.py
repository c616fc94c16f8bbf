"""What the stand-in of the market keeps: offers, machines as they really are, faults, and a judge of lessors."""

from __future__ import annotations

import os
import random
import re
import signal
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

BEGUN = 1_795_000_000.0  # Unix seconds at which a virtual clock begins
START, LIST, STOP, OFFERS = "start", "list", "stop", "offers"
# kind of request -> fault -> how often chaos draws it
CHAOS: Mapping[str, Mapping[str, float]] = {
    START: {
        **dict.fromkeys(("402", "404", "429", "500", "500 after", "lost", "garbled", "late", "drop", "twice"), 0.02),
        **{"hang": 0.005, "hang after": 0.01, "dearer": 0.04, "never boots": 0.03, "spot lost": 0.05},
        "dearer later": 0.02,
    },
    LIST: {
        **dict.fromkeys(("500", "429", "drop", "garbled", "missing", "unknown", "part", "damaged"), 0.01),
        "hang": 0.002,
    },
    STOP: {**dict.fromkeys(("500", "429", "drop", "lost", "slow"), 0.02), "stays": 0.04, "hang": 0.005},
    OFFERS: {"500": 0.02, "garbled": 0.01, "drop": 0.01},
}
_OFFER = {
    "provider": "cyan", "gpu_memory_gb_per_gpu": 80, "interconnect": "PCIe", "storage": "500", "deployment_type": "vm",
    "system_memory_gb": 120, "vcpu_count": 28, "region": "canada-1", "availability": True, "is_spot": False,
}  # fmt: skip


def gpu_offer(id_: str, gpu: str, count: int, rate: str, **others: object) -> dict[str, Any]:
    """Return an offer of machines with GPUs, at a price of one GPU."""
    return {**_OFFER, "id": id_, "gpu_type": gpu, "gpu_count": count, "hourly_rate_per_gpu": rate, **others}


def cpu_offer(id_: str, rate: str, **others: object) -> dict[str, Any]:
    """Return an offer of machines without a GPU."""
    plain = {"provider": "plum", "vcpu_count": 8, "system_memory_gb": 32, "storage_gb": 100, "region": "norway-1"}
    return {**plain, "availability": True, "id": id_, "hourly_rate": rate, **others}


OFFERS_NOW = [
    gpu_offer("cyan-a100-x1", "A100", 1, "1.35"),
    gpu_offer("cyan-a100-x8", "NVIDIA A100 80GB", 8, "1.00"),
    gpu_offer("plum-a100-spot", "A100", 1, "0.90", is_spot=True),
    gpu_offer("plum-a10-x1", "A10", 1, "0.40"),
    gpu_offer("opal-a6000-x1", "RTX A6000", 1, "0.80"),
    gpu_offer("opal-h100-x1", "H100", 1, "2.10"),
    gpu_offer("opal-gh200-x1", "GH200 480GB", 1, "1.20"),
    gpu_offer("opal-a6000-gone", "RTX A6000", 1, "0.10", availability=False),
]
CPU_OFFERS_NOW = [cpu_offer("plum-cpu-8", "0.12"), cpu_offer("plum-cpu-32", "0.48", vcpu_count=32)]


@dataclass
class Machine:
    """One rental, as it really is."""

    name: str
    id: str
    kind: str
    offer: dict[str, Any]
    listed_hourly: float
    hourly: float
    created: float
    boots: bool = True
    is_extra: bool = False
    ended: float | None = None
    appear: float = 0.0
    vanish: float = 0.0
    shown: float | None = None  # when a list first told its price, in seconds for which its lessor lived
    spared: int = 0  # faults that befell its stops
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass
class Judge:
    """Holds what a lessor must hold, whenever something changes; the caps are what it was told, by kind.

    What is dearer than its cap, or was started twice, is not the lessor's doing; it must end within 60 s of the first
    list that shows it, counted while the lessor lives. Until then a machine counts at the price that was listed.
    """

    caps: dict[str, float] = field(default_factory=dict)
    max_nodes: int = 10**9
    max_hourly: float = 1e9
    prefix: str = "synthcity-"
    most_nodes: int = 0
    most_hourly: float = 0.0
    unwanted: int = 0
    longest: float = 0.0
    faults: list[str] = field(default_factory=list)


class Account:
    """The state of the account."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.virtual: float | None = BEGUN
        self.idle = 0.0  # virtual seconds for which no lessor lived
        self.skew = 0.0
        self.lag = 0.0
        self.boot_seconds = 60.0
        self.logins: dict[str, str] | None = None  # user@host of what runs, by name, where somebody boots true machines
        self.machines: list[Machine] = []
        self.pending: list[tuple[float, str, str, dict[str, Any], list[str]]] = []
        self.offers: dict[str, list[dict[str, Any]]] = {"gpu": list(OFFERS_NOW), "cpu": list(CPU_OFFERS_NOW)}
        self.key: dict[str, Any] | None = None
        self.faults: list[dict[str, Any]] = []
        self.chaos: dict[str, dict[str, float]] = {}
        self.rng = random.Random(0)
        self.prey = 0
        self.kills = 0
        self.judge = Judge()
        self.asked: list[str] = []
        self.received: list[str] = []
        self.drawn: dict[str, int] = {}
        self.clock_file = ""

    def now(self) -> float:
        return time.time() if self.virtual is None else self.virtual

    def advance(self, seconds: float, *, idle: bool = False) -> None:
        """Move the virtual clock, through what happens on the way."""
        if self.virtual is None:
            return
        until = self.virtual + seconds
        for due in sorted(self.pending, key=lambda one: one[0]):
            if due[0] <= until:
                self.virtual = max(self.virtual, due[0])
                self.pending.remove(due)
                self.create(*due[1:])
        for machine in self.living():
            lost = machine.extra.get("lost_at")
            if lost is not None and lost <= until:
                self.end(machine, lost)
            rise = machine.extra.get("rise_at")
            if rise is not None and rise <= until:
                machine.hourly, machine.shown = round(machine.listed_hourly * 2.5, 4), None
                del machine.extra["rise_at"]
        self.virtual = until
        self.idle += seconds if idle else 0.0
        if self.clock_file:
            with open(self.clock_file, "r+b") as file:
                file.write(repr(until).encode().ljust(32))
        self.hold()

    def living(self) -> list[Machine]:
        return [machine for machine in self.machines if machine.ended is None]

    def create(self, kind: str, name: str, offer: dict[str, Any], faults: list[str]) -> Machine:
        now, count = self.now(), offer.get("gpu_count", 1)
        listed = float(offer.get("hourly_rate_per_gpu", offer.get("hourly_rate", 0))) * count
        hourly = listed * self.rng.choice((1.2, 2.0, 4.0)) if "dearer" in faults else listed
        machine = Machine(
            name=name, id=f"{self.rng.getrandbits(64):016x}", kind=kind, offer=offer, listed_hourly=listed,
            hourly=round(hourly, 4), created=now, boots="never boots" not in faults,
        )  # fmt: skip
        machine.appear, machine.vanish = self.rng.uniform(0, self.lag), self.rng.uniform(0, self.lag)
        if "spot lost" in faults:
            machine.extra["lost_at"] = now + self.rng.uniform(30, 400)
        if "dearer later" in faults:
            machine.extra["rise_at"] = now + self.rng.uniform(30, 400)
        self.machines.append(machine)
        self.hold()
        return machine

    def end(self, machine: Machine, at: float) -> None:
        machine.ended = at
        if machine.shown is not None and self.is_unwanted(machine):
            self.judge.longest = max(self.judge.longest, at - self.idle - machine.shown)

    def is_unwanted(self, machine: Machine) -> bool:
        return machine.is_extra or machine.hourly > self.judge.caps.get(machine.kind, 1e9)

    def show(self, machine: Machine) -> None:
        """Note that a list tells of a machine and its price."""
        if machine.shown is None:
            machine.shown = self.now() - self.idle
            self.judge.unwanted += self.is_unwanted(machine)

    def hold(self) -> None:
        """Hold fleet and price against the limits."""
        judge, now = self.judge, self.now()
        ours = [one for one in self.living() if one.name.startswith(judge.prefix)]
        known = [one for one in ours if one.shown is not None and now - self.idle - one.shown > 60]
        for one in known:
            if self.is_unwanted(one) and not one.extra.get("told"):
                one.extra["told"] = True
                judge.faults.append(f"{one.name} is unwanted and lives for more than 60 s after that was shown")
        wanted = [one for one in ours if not self.is_unwanted(one)]
        hourly = sum(one.hourly if one in known else min(one.hourly, one.listed_hourly) for one in wanted)
        judge.most_nodes, judge.most_hourly = max(judge.most_nodes, len(wanted)), max(judge.most_hourly, hourly)
        if len(wanted) > judge.max_nodes:
            judge.faults.append(f"{len(wanted)} machines at {now:.0f}")
        if hourly > judge.max_hourly + 1e-9:
            judge.faults.append(f"{hourly:.2f} USD an hour at {now:.0f}")

    def cost(self, machine: Machine) -> float:
        return machine.hourly * ((machine.ended or self.now()) - machine.created) / 3600

    def draw(self, what: str, line: str) -> str:
        """Return the fault of a request: one that was set, else by chance."""
        found = ""
        for fault in self.faults:
            if fault.get("times", 1) > 0 and re.search(fault["on"], f"{what} {line}"):
                if fault.get("after", 0) > 0:  # so many requests pass before
                    fault["after"] -= 1
                    continue
                fault["times"] = fault.get("times", 1) - 1
                found = str(fault["what"])
                break
        else:
            draw = self.rng.random()
            for name, share in self.chaos.get(what, {}).items():
                draw -= share
                if draw < 0:
                    found = name
                    break
        if found:
            self.drawn[f"{what} {found}"] = self.drawn.get(f"{what} {found}", 0) + 1
        return found

    def kill(self) -> None:
        if self.prey:
            with suppress(ProcessLookupError):
                os.kill(self.prey, signal.SIGKILL)
            self.prey, self.kills = 0, self.kills + 1

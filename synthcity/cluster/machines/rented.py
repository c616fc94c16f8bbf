"""Nodes that are rented machines.

Which machines there are the lessor knows, from its ledger and the market's lists; nothing is kept here but what is not
asked for yet. So an autoscaler that was killed goes on where it was. A machine has its name before it is asked for, and
is listed from then on; while the market has none that is cheap enough it is asked for again every minute.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from synthcity import rates
from synthcity.cluster.autoscaling import WAIT
from synthcity.cluster.joining.transport import Reached, Transport
from synthcity.cluster.layout import Place
from synthcity.cluster.machines.machine import Machine
from synthcity.cluster.notes import notes
from synthcity.cluster.plan import Plan
from synthcity.errors import RunError, SynthcityError
from synthcity.files import atomic_write
from synthcity.rent import Address, Lessor, Rental

WAITING = "waiting.json"  # in the cluster's folder: what is asked for in vain, and why
AGAIN = 60.0  # seconds
_TICK = 1.0
_log = logging.getLogger(__name__)


@dataclass(kw_only=True)
class _Asked:
    """A machine that the ledger does not have yet; times are those of a clock that only moves on."""

    name: str
    kind: str
    request: str
    since: float
    again: float
    place: int = 0  # while it is being asked for
    is_wanted: bool = True


class RentedMachines:
    """Asks the lessor for machines and has a transport make nodes of them."""

    def __init__(
        self,
        folder: Path,
        plan: Plan,
        lessor: Lessor,
        transport: Transport,
        joined: Callable[[], Collection[str]],
        allowed: Callable[[], None],
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin with what the lessor has; ``begin`` starts the threads.

        Args:
            folder: the cluster's own.
            lessor, transport: closed with this.
            joined: tells the names of the machines that are nodes now; raises RunError where nobody knows.
            allowed: raises a SynthcityError while nothing may be rented, which ends nothing that is there.
        """
        self._plan, self._lessor, self._transport, self._now = plan, lessor, transport, now
        self._folder, self._joined, self._allowed = folder, joined, allowed
        self._places = range(1, sum(kind.max_nodes for kind in plan.nodes.values()) + 1)
        self._lock = threading.Lock()
        self._asked: dict[str, _Asked] = {}
        self._why: dict[str, str] = {}  # by kind: why the last one that was asked for did not come
        self._joining: set[str] = set()
        self._told = self._problem = ""
        self._askers = ThreadPoolExecutor(8, thread_name_prefix="synthcity-ask")
        self._stoppers = ThreadPoolExecutor(4, thread_name_prefix="synthcity-stop")
        self._done = threading.Event()
        self._stack = ExitStack()

    def begin(self) -> RentedMachines:
        """Hold the ledger against the market, and machines against it, every few seconds from now on."""
        self._look()  # first, since what joined while nobody looked may be older than `boot`, by which it would end
        self._stack.enter_context(self._lessor.watching())
        thread = threading.Thread(target=self._watch, name="rented", daemon=True)
        thread.start()
        self._stack.callback(thread.join)
        self._stack.callback(self._done.set)
        return self

    def close(self) -> None:
        """End the threads; what is rented stays rented."""
        self._done.set()
        self._stack.close()
        self._askers.shutdown(cancel_futures=True)
        self._stoppers.shutdown()
        self._transport.close()
        self._lessor.close()

    def all(self) -> list[Machine]:
        """See ``Machines``; one that is to end is none any more, and the lessor sees to it."""
        with self._lock:  # before the ledger, which has what leaves here meanwhile
            asked = list(self._asked.values())
        rentals = {one.name: one for one in self._lessor.rentals()}
        return [
            *(self._machine(one) for one in rentals.values() if one.state in ("intent", "rented")),
            *(
                Machine(name=one.name, kind=one.kind, request=one.request, address="", is_up=False)
                for one in asked
                if one.name not in rentals
            ),
        ]

    def ask(self, kind: str, request: str) -> None:
        """See ``Machines``."""
        with self._lock:
            name, now = self._lessor.name(kind), self._now()
            asked = self._asked[name] = _Asked(name=name, kind=kind, request=request, since=now, again=now)
            self._submit(asked)

    def stop(self, name: str) -> None:
        """See ``Machines``."""
        with self._lock:
            asked = self._asked.get(name)
            if asked is not None and asked.place:
                asked.is_wanted = False  # it is ended once that is answered
                return
            self._asked.pop(name, None)
        self._stoppers.submit(self._stop, name)

    def tend(self) -> None:
        """Have what runs join, have ended what cannot, and ask again for what was not to be had."""
        rentals = {one.name: one for one in self._lessor.rentals()}
        running = {name for name, one in rentals.items() if one.state == "rented" and one.address is not None}
        for name in self._joining - running:
            self._transport.leave(name)
            self._joining.discard(name)
        new = {name for name in running if not rentals[name].joined}
        for name in new & (self._nodes() if new else set()):
            self._lessor.joined(name)
        for name in sorted(running):
            self._tend(rentals[name])
        with self._lock:
            now = self._now()
            for asked in list(self._asked.values()):
                if asked.place:
                    continue
                if now - asked.since > WAIT:  # Ray asks anew, where it still needs one
                    del self._asked[asked.name]
                elif now >= asked.again:
                    self._submit(asked)
        self._tell()

    def _tend(self, rental: Rental) -> None:
        if rental.name not in self._joining:
            address = rental.address
            assert address is not None
            if rental.place not in self._places or rental.node_type not in self._plan.nodes:
                self._stoppers.submit(self._stop, rental.name, "the cluster file has no place for it any more")
                return
            self._transport.join(self._reached(rental, address))
            self._joining.add(rental.name)
        elif failure := self._transport.failure(rental.name):
            self._stoppers.submit(self._stop, rental.name, failure)

    def _reached(self, rental: Rental, address: Address) -> Reached:
        kind = self._plan.nodes[rental.node_type]
        return Reached(
            name=rental.name,
            kind=rental.node_type,
            place=Place(rental.place, self._plan.head.ports),
            user=address.user,
            host=address.host,
            port=address.port,
            cpus=kind.cpus,
            gpus=kind.count if kind.gpus else 0,
            labels=rates.label(rental.worst_hourly),
            joined=rental.joined,
            prepare=kind.prepare,
            power_off=kind.power_off,
        )

    def _nodes(self) -> set[str]:
        """Return the machines that are nodes, by their own words where nobody else tells: else they would be ended."""
        try:
            found, problem = set(self._joined()), ""
        except RunError as error:
            found, problem = {note.name for note in notes(self._folder) if note.state == "joined"}, str(error)
        if problem and problem != self._problem:
            _log.warning("%s; what machines say counts meanwhile", problem)
        self._problem = problem
        return found

    def _watch(self) -> None:
        while not self._done.wait(_TICK):
            self._look()

    def _look(self) -> None:
        try:
            self.tend()
        except Exception:  # noqa: BLE001 - whoever calls must go on, or no machine would become a node
            _log.exception("a look at the rented machines failed; the next one follows")

    def _submit(self, asked: _Asked) -> None:
        """Ask for a machine now, if there is a place for it; what is to end has its own until it is gone."""
        taken = {one.place for one in self._lessor.rentals()} | {one.place for one in self._asked.values()}
        asked.place = next((place for place in self._places if place not in taken), 0)
        if asked.place:
            self._askers.submit(self._attempt, asked)
        else:
            asked.again = self._now() + AGAIN
            self._why[asked.kind] = "machines that are to end are still there"

    def _attempt(self, asked: _Asked) -> None:
        with self._lock:
            if not asked.is_wanted:  # any more, by its turn
                self._asked.pop(asked.name)
                return
        why = ""
        try:
            self._allowed()
            self._lessor.ask(asked.kind, asked.name, place=asked.place, request=asked.request)
        except SynthcityError as error:
            why = str(error)
        except Exception as error:  # noqa: BLE001 (else nobody would be told, as this runs on a thread)
            _log.exception("no machine could be asked for")
            why = f"{type(error).__name__}: {error}"
        if why:
            _log.warning("%s", why)
        with self._lock:
            self._why[asked.kind] = why
            asked.place, asked.again = 0, self._now() + AGAIN
            known = self._lessor.find(asked.name)
            if not asked.is_wanted or known is not None:  # a name is asked for once
                self._asked.pop(asked.name)
            if asked.is_wanted and known is not None and known.state in ("stopping", "gone"):  # refused, or too dear
                name = self._lessor.name(asked.kind)
                self._asked[name] = replace(asked, name=name)
        if not asked.is_wanted:
            self._stop(asked.name)

    def _stop(self, name: str, why: str = "it is not needed any more") -> None:
        try:
            if self._lessor.find(name) is not None:
                self._lessor.stop(name, why)
        except Exception:  # noqa: BLE001 (as above; the lessor asks again by itself)
            _log.exception("%s could not be ended", name)

    def _tell(self) -> None:
        """Write what waits, for `synthcity cluster status`."""
        with self._lock:
            counts = Counter(one.kind for one in self._asked.values())
            told = json.dumps(
                [
                    {"kind": kind, "count": counts[kind], "why": self._why.get(kind, "")}
                    for kind in self._plan.nodes
                    if counts[kind]
                ]
            )
        if told != self._told:
            try:
                atomic_write(self._folder / WAITING, told)
            except OSError as error:  # machines come and go all the same
                _log.warning("cannot write %s: %s", self._folder / WAITING, error.strerror or error)
                return
            self._told = told

    def _machine(self, rental: Rental) -> Machine:
        return Machine(
            name=rental.name,
            kind=rental.node_type,
            request=rental.request,
            address=self._at(rental.place),
            is_up=rental.state == "rented" and rental.address is not None,
        )

    def _at(self, place: int) -> str:
        return Place(place, self._plan.head.ports).address

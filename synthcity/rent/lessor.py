"""The lessor of a cluster: rents machines, holds them against the market's lists, and ends them.

A row of the ledger goes from intent to rented, stopping and gone:

1. The intent is on the disk before the request, with the most that it may cost.
2. A request that has certainly started nothing is gone at once. After any other one that failed nobody knows; its place
   and its money stay taken until a list shows the name, or lists have lacked it for more than two minutes.
3. What is dearer than it may be, by the reply or by a list, is stopped at once.
4. A stop is asked for until lists lack the row; its own reply proves nothing, and neither do lists alone: what they
   lack is gone once a stop of it was answered, too. What has a name of this cluster and is not in the ledger, or is
   gone there, is stopped as well; where another head rents under the name, nothing is rented, see ``Strangers``.
5. All of it is gone through every 15 seconds over both lists, and at every start.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from synthcity.durations import MINUTE
from synthcity.errors import ConfigError, RentError, unknown_name
from synthcity.rent import comparing
from synthcity.rent.books import Books
from synthcity.rent.comparing import Strangers, compared, dear, ending, match
from synthcity.rent.config import Limits, NodeType, bounded, written_usd
from synthcity.rent.market import Listing, Market, OfferGone, Refused, Unknown
from synthcity.rent.naming import cluster_prefix, new_name
from synthcity.rent.offers import choose
from synthcity.rent.rental import Rental
from synthcity.rent.replies import Listed, Started
from synthcity.settings import Settings

EVERY = 15.0  # seconds between two rounds
_SHUN = 10.0 * MINUTE  # an offer that was none, or dearer than told
_STOPS = 8  # at a time
_log = logging.getLogger(__name__)


class LimitReached(RentError):
    """The cluster has as many machines, or has cost as much, as it may."""


class Lessor:
    """Rents for one cluster. One process at a time has its ledger; use from any of its threads."""

    def __init__(
        self,
        cluster: str,
        node_types: Iterable[NodeType],
        limits: Limits,
        *,
        market: Market,
        ledger: Path,
        public_key: str,
        settings: Settings,
    ) -> None:
        """Take the ledger.

        Args:
            cluster: its name, small letters and digits.
            market: closed with the lessor.
            public_key: for SSH, as in a ``.pub`` file.
            settings: what they allow goes before what ``node_types`` say.

        Raises:
            ConfigError: the environment allows none of the GPUs.
            RunError: another process has the ledger, or it cannot be written.
        """
        self.cluster, self.limits = cluster, limits
        self.node_types = {one.name: bounded(one, settings) for one in node_types}
        self._prefix = cluster_prefix(cluster)
        self._market, self._public_key, self._key_id = market, public_key, ""
        self._round = threading.Lock()
        self._books = Books(ledger, market.now)
        self._lock = self._books.lock
        self._asking: set[str] = set()
        self._is_listed = False  # whether a whole list was held against the ledger
        self._strangers = Strangers(cluster, ledger, market.now())
        self._answered: set[str] = set()  # names of which the market said that they end, or that it has none
        self._shunned: dict[str, float] = {}  # ids of offers, and until when

    def close(self) -> None:
        """Let go of the ledger and the market; what is rented stays rented."""
        self._books.close()
        self._market.close()

    def __enter__(self) -> Lessor:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def strangers(self) -> tuple[Listed, ...]:
        """What the last lists showed under a name of this cluster that the ledger does not know."""
        return self._strangers.rows

    @property
    def hourly(self) -> Decimal:
        """USD an hour of all that is there, or may be."""
        with self._lock:
            return sum((one.worst_hourly for one in self._books.open), self._strangers.hourly)

    @property
    def spent(self) -> Decimal:
        """USD that the cluster has cost in its life, at most."""
        return self._books.spent

    def rentals(self) -> tuple[Rental, ...]:
        """Return all that is there, or may be: whatever is not gone."""
        return self._books.open

    def introduce(self) -> None:
        """Let the market know the SSH key before anything is rented.

        Raises:
            ConfigError: the token is not accepted, or the account has another key.
            RentError: the market does not answer.
        """
        self._key()

    def find(self, name: str) -> Rental | None:
        """Return a rental of the cluster's life, also one that is gone; None where the ledger has no such name."""
        return next((one for one in self._books.all if one.name == name), None)

    def name(self, node_type: str) -> str:
        """Return a name that no rental has had, for ``ask``."""
        return new_name(self.cluster, node_type)

    def ask(self, node_type: str, name: str = "", *, place: int = 0, request: str = "") -> str:
        """Ask for one machine and return its name; whether it is there ``rentals`` tells, now or later.

        Args:
            name: a new one; by default one is made.
            place, request: kept with the rental for whoever asks, see ``Rental``.

        Raises:
            ValueError: there is no such node type.
            LimitReached: the cluster has as many, costs as much, or has cost as much, as it may.
            NoOffer: nothing that fits is cheap enough.
            RentError: nothing was started, or something that was too dear and is being ended.
            RunError: the intent could not be written; nothing was asked for.
        """
        wanted = self.node_types.get(node_type)
        if wanted is None:
            raise ValueError(unknown_name("node type", node_type, self.node_types))
        if not self._is_listed:
            self.reconcile()
        self._left(wanted)  # before anybody else is asked
        key, offers = self._key(), self._market.offers(wanted.kind)
        with self._lock:
            now = self._market.now()
            offers = [one for one in offers if self._shunned.get(one.id, now) <= now]
            best, left = choose(offers, wanted, wanted.max_hourly_rate), self._left(wanted)
            if best.hourly > left:
                price, rest = written_usd(best.hourly), written_usd(left)
                raise LimitReached(f"{price} USD an hour for {node_type} is more than the {rest} that are left")
            most = min(wanted.max_hourly_rate, left)
            rental = Rental(
                name=name or self.name(node_type),
                node_type=node_type,
                place=place,
                request=request,
                kind=wanted.kind,
                offer=best.id,
                gpu=best.gpu,
                gpu_count=best.gpu_count,
                is_spot=best.is_spot,
                max_hourly=most,
                asked=now,
                seen=now,
            )
            self._books.begin(rental)
            self._asking.add(rental.name)
        try:
            started = self._market.start(wanted.kind, best.id, rental.name, key)
            self._started(rental.name, started, max(started.hourly, best.hourly))
        except Refused as error:
            if isinstance(error, OfferGone):
                self._shun(best.id)
            with self._lock:
                self._books.put(
                    replace(self._books[rental.name], state="gone", ended=self._market.now(), why=str(error))
                )
            raise
        except Unknown as error:
            _log.warning("%s", error)
        finally:
            with self._lock:
                self._asking.discard(rental.name)
                # absence counts from the end of the request
                self._books.put(replace(self._books[rental.name], seen=self._market.now()))
        rental = self._books[rental.name]
        if rental.state == "stopping" and rental.hourly is not None and rental.hourly > rental.max_hourly:
            self._shun(best.id)
            self._end([rental])
            raise RentError(f"{rental.name} is being ended: {rental.why}")
        return rental.name

    def joined(self, name: str) -> None:
        """Note that a machine has become a node of the cluster."""
        with self._lock:
            if not self._books[name].joined:
                self._books.put(replace(self._books[name], joined=True))

    def stop(self, name: str, why: str = "it is not needed any more") -> None:
        """Have a machine ended: asked for now, and again in every round until lists lack it."""
        if name not in self._books:
            raise ValueError(f"the ledger has no rental {name!r}")
        self._books.end(name, why)
        rental = self._books[name]
        if rental.state == "stopping":
            self._end([rental])

    def end_all(self, sleep: Callable[[float], None] = time.sleep, patience: float = 10.0 * MINUTE) -> None:
        """End everything, and return once lists have lacked it all for two minutes: one list proves nothing.

        What the ledger does not know counts like what it knows, so that an empty one takes as long.

        Raises:
            RentError: something is still there after so many seconds.
        """
        until = (shown := self._market.now()) + patience  # as if a stranger were there: nobody has looked yet
        while True:
            for one in self.rentals():
                self._books.end(one.name, "the cluster is ended")
            try:
                self.reconcile()
            except (RentError, ConfigError) as error:
                problem = str(error)
            else:
                now = self._market.now()
                shown = now if self.strangers else shown
                problem = ", ".join([*(one.name for one in self.rentals()), *(row.name for row in self.strangers)])
                if not problem and now - shown > comparing.SETTLE:
                    return
                problem = problem or f"lists have lacked everything for {now - shown:.0f} seconds only"
            if self._market.now() > until:
                raise RentError(f"the market may still have rentals of {self.cluster}: {problem}")
            sleep(EVERY)

    def reconcile(self) -> None:
        """Go through all once; what the clock and the limits ask for is done whether or not the market lists anything.

        Raises:
            RentError: the market has not told all; the next round will.
        """
        with self._round:
            self._books.write()
            asked = self._end_all()
            try:
                listing = self._market.rentals()
                self._compare(listing)
                if listing.problem:
                    raise RentError(listing.problem)
            finally:  # also after an answer that nobody thought of
                with self._lock:
                    due = ending(self._books.open, self.node_types, self.limits, self.spent, self._market.now())
                    for name, why in due.items():
                        self._books.end(name, why)
                self._end_all(but=asked)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Reconcile now, and every 15 seconds on a thread of its own until the block ends."""
        done = threading.Event()

        def watch() -> None:
            while True:
                try:
                    self.reconcile()
                except (RentError, ConfigError) as error:
                    _log.warning("%s", error)
                except Exception:  # noqa: BLE001 - while this thread lives machines are ended; without it none is
                    _log.exception("a round of the lessor failed; the next one follows")
                if done.wait(EVERY):
                    return

        thread = threading.Thread(target=watch, name="lessor", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def _key(self) -> str:
        if not self._key_id:
            self._key_id = self._market.key_id(self._public_key)
        return self._key_id

    def _left(self, wanted: NodeType) -> Decimal:
        """Return the USD an hour that one more machine may cost.

        Raises:
            LimitReached: there may be no more.
        """
        with self._lock:
            self._strangers.check_alone(self._market.now())
            unknown = sum(row.name.startswith(f"{self._prefix}{wanted.name}-") for row in self.strangers)
            count = unknown + sum(one.node_type == wanted.name for one in self.rentals())
            if count >= wanted.max_nodes:
                raise LimitReached(f"{wanted.name} has {count} of {wanted.max_nodes} machines")
            if self.spent >= self.limits.spend:
                most = written_usd(self.limits.spend)
                raise LimitReached(f"the cluster has cost {self.spent:.2f} USD of {most}")
            left = self.limits.hourly - self.hourly
            if left <= 0:
                hourly, most = written_usd(self.hourly), written_usd(self.limits.hourly)
                raise LimitReached(f"the cluster costs {hourly} USD an hour of {most}")
            return left

    def _started(self, name: str, started: Started, hourly: Decimal) -> None:
        """Note what the market says, of two prices the higher; a stop that was asked for meanwhile stays one."""
        with self._lock:
            rental, now = self._books[name], self._market.now()
            state = "rented" if rental.state == "intent" else rental.state
            rental = replace(rental, state=state, id=started.id, hourly=hourly, started=now, seen=now)
            self._books.put(dear(rental))

    def _compare(self, listing: Listing) -> None:
        with self._lock:
            matched = match(self._books.all, listing.rows, self._prefix)
            for one in self._books.all:
                row, is_answered = matched.rows.get(one.name), one.name in self._answered
                if row is not None or one.name not in self._asking:
                    self._books.put(compared(one, row, listing, is_answered=is_answered))
            self._is_listed |= listing.is_whole
            self._strangers.meet(matched.strangers, listing, frozenset(one.name for one in self._books.all))

    def _end_all(self, but: frozenset[str] = frozenset()) -> frozenset[str]:
        """Ask for all that is to end and return what was asked for."""
        with self._lock:
            names = {one.name for one in self._books.open if one.state == "stopping"} - self._asking
            rentals = [self._books[name] for name in sorted(names - but)]
            strangers = [row for row in self.strangers if row.id not in but]
        self._end([*rentals, *strangers])
        return frozenset(names | {row.id for row in strangers})

    def _end(self, rows: Sequence[Rental | Listed]) -> None:
        if rows:
            with ThreadPoolExecutor(_STOPS) as pool:  # one that hangs holds up no other
                list(pool.map(self._ask_to_end, rows))

    def _ask_to_end(self, row: Rental | Listed) -> None:
        try:
            self._market.stop(row.kind, row.id or row.name)
        except (RentError, ConfigError) as error:
            _log.warning("%s; it is asked again", error)
        else:
            self._answered.add(row.name)

    def _shun(self, offer: str) -> None:
        with self._lock:
            self._shunned[offer] = self._market.now() + _SHUN

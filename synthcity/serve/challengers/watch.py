"""Watches a place for bundles, and offers the newest one to a running miner: by the same file as everybody else.

A bundle is offered once, whatever became of it, and what answers or shadows already is passed over; what answers
validators is not for a place to say (``succession``).
"""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

from synthcity.errors import BundleError, ConfigError, SynthcityError
from synthcity.lines import append_line, read_lines
from synthcity.serve.challengers.candidacy import BUNDLES, at_work, keep, parts_of
from synthcity.serve.challengers.places import Found, Place, open_place
from synthcity.serve.settlement.offer import Offer
from synthcity.serve.settlement.succession import Succession

WATCHED = "watched.jsonl"
EVERY_SECONDS = 300.0
_SCRATCH = ".pulled"
_log = logging.getLogger(__name__)


class Watch:
    """Looks on a thread of its own; ``problem`` says what is wrong there. Use as a context manager."""

    def __init__(
        self,
        where: str,
        state: Path,
        wants: Callable[[], bool],
        admit: Callable[[str], object],
        *,
        trust_code: bool = False,
        every_seconds: float = EVERY_SECONDS,
    ) -> None:
        """Watch for a miner.

        Args:
            where: as ``places.open_place`` takes it.
            state: folder of the miner.
            wants: whether nothing is judged in the shadow, and nothing else waits to be.
            admit: raises ``SynthcityError`` where a bundle may not race.
            trust_code: run what a language model wrote, where a bundle holds such code.
            every_seconds: from one look to the next.

        Raises:
            ConfigError: there is no such place.
        """
        self.problem: str | None = None
        self._scratch = state / BUNDLES / _SCRATCH
        self._place: Place = open_place(where, self._scratch)
        self._state, self._wants, self._admit, self._every = state, wants, admit, every_seconds
        self._trust_code = trust_code
        self._unfit: dict[str, str] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="watch", daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join(30)

    def look(self) -> Offer | None:
        """Offer the newest bundle that may race, if a challenger is wanted and it was not offered before."""
        try:
            found = self._next() if self._wants() else None
            self.problem = "; ".join(self._unfit.values()) or None
        except SynthcityError as error:
            self.problem, found = f"nothing is taken from {self._place.name}: {error}", None
        except Exception as error:  # noqa: BLE001 (the thread must live: else nobody is told)
            _log.exception("nothing is watched")
            self.problem, found = f"nothing is taken from {self._place.name}: {type(error).__name__} {error}", None
        return found

    def _next(self) -> Offer | None:
        offered = {line.get("source") for line in read_lines(self._state / WATCHED).events}
        succession = Succession.read(self._state)
        own = set() if succession is None else at_work(succession)
        self._unfit, known = {}, self._unfit
        for found in self._place.bundles():
            if found.bundle in offered:  # and what lies behind it is older
                return None
            if found.bundle in own:
                continue
            if found.state in known:  # which is not fetched again
                self._unfit[found.state] = known[found.state]
                continue
            try:
                return self._offered(found, succession)
            except ConfigError as error:
                self._unfit[found.state] = f"{found.name} does not race: {error}"
            except BundleError as error:
                self._unfit[found.state] = f"{found.name} does not race: {error}"
                return None  # it may be being copied: those behind it have their turn once it stays as it is
            finally:
                shutil.rmtree(self._scratch, ignore_errors=True)
        return None

    def _offered(self, found: Found, succession: Succession | None) -> Offer | None:
        bundle = found.fetch()
        self._admit(str(bundle))
        champion = None if succession is None else succession.champion
        folder = keep(self._state, bundle, parts_of(bundle, champion), trust_code=self._trust_code)
        if not self._wants():  # somebody else offered one while this was fetched and combined
            return None
        offer = Offer.of(folder, f"the newest bundle of {self._place.name}", from_place=True).write(self._state)
        append_line(self._state / WATCHED, {"source": found.bundle, "bundle": offer.bundle, "name": found.name})
        return offer

    def _follow(self) -> None:
        while True:
            self.look()
            if self._stopping.wait(self._every):
                return

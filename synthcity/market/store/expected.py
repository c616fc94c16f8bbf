"""The calendar beside live prices: read again once a minute, and the last sound one kept."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable

from synthcity.errors import SynthcityError
from synthcity.market.calendar.events.outlook import Outlook
from synthcity.market.store.price_store import PriceStore

_EVERY_SECONDS = 60.0
_log = logging.getLogger(__name__)


class Expected:
    """What prices of ``venues`` are expected to do; a calendar that is damaged later costs no answer.

    Threads may race for a look; then it is made twice.
    """

    def __init__(
        self, store: PriceStore, venues: Iterable[str], *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """Read the calendar.

        Raises:
            ConfigError: it is damaged from the start.
        """
        self._store, self._venues, self._monotonic = store, tuple(venues), monotonic
        self._latest, self._looked_at = store.outlook(self._venues), monotonic()

    @property
    def latest(self) -> Outlook | None:
        """What can be known now; None where nothing is."""
        if self._monotonic() - self._looked_at >= _EVERY_SECONDS:
            self._looked_at = self._monotonic()
            try:
                self._latest = self._store.outlook(self._venues)
            except (SynthcityError, OSError) as error:  # the alarm ``calendar`` tells it as well
                _log.warning("the last sound calendar stays: %s", error)
        return self._latest

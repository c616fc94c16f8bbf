"""What is known to come and what such things do, as an effect of minutes: as of a time, and never from what came."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from importlib import resources

import numpy as np

from synthcity import strict_json
from synthcity.durations import MINUTE
from synthcity.market.bars import Floats, Times
from synthcity.market.calendar.events.calendar import Calendar
from synthcity.market.calendar.events.event import Event
from synthcity.market.calendar.events.response import FIRST_SECOND, LAST_SECOND, Responses
from synthcity.market.calendar.minutes import Effect

_PACKAGED = "responses.json"


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """A calendar and how volatility answers to it.

    Attributes:
        calendar: what is known to come.
        responses: learned at several times. Of those that a time knows, that which learned from the most events of a
            kind is used for it, the later one of equals; so a young store does not displace what years have told.
    """

    calendar: Calendar
    responses: Sequence[Responses]

    def effect(self, asset: str, now: int) -> Effect:
        """The multipliers of minutes for ``asset`` as they were known at ``now`` (unix seconds); 1 without an event.

        Only events count whose dates are sure and were known by then. Those that are past count too, so that the
        returns that they moved can be told from ordinary ones.
        """
        return partial(self._multipliers, asset, lambda event: now)

    def ahead(self, asset: str, seconds: int) -> Effect:
        """The multipliers as they were known ``seconds`` before an event first moves anything.

        So they are the same for all windows of that length, of the past as of a prompt, and hold nothing that was not
        known at the start of each.
        """
        return partial(self._multipliers, asset, lambda event: event.time + FIRST_SECOND - seconds)

    def _multipliers(self, asset: str, now_of: Callable[[Event], int], minutes: Times) -> Floats:
        """Multiply what all events around ``minutes`` (n,) do, each as it was known at ``now_of`` it."""
        if not len(minutes):
            return np.ones(0)
        first = int(minutes.min())
        # of every minute in between, since that is a slice for each event
        span = np.ones((int(minutes.max()) - first) // MINUTE + 1)
        for event in self.calendar.between(first - LAST_SECOND, first + MINUTE * len(span) - FIRST_SECOND):
            table = self._table(event, asset, now_of(event))
            if table is not None:
                begin = (event.time + FIRST_SECOND - first) // MINUTE
                part = slice(max(begin, 0), min(begin + len(table), len(span)))
                span[part] *= table[part.start - begin : part.stop - begin]
        return np.asarray(span[(minutes - first) // MINUTE])

    def _table(self, event: Event, asset: str, now: int) -> Floats | None:
        if not event.is_sure or event.known_from > now or event.asset not in ("", asset):
            return None
        known = [one for one in self.responses if one.until <= now and event.kind in one.num_events]
        best = max(known, key=lambda one: (one.num_events[event.kind], one.until), default=None)
        return None if best is None else best.minutes(event.kind, asset)


@cache
def packaged_responses() -> tuple[Responses, ...]:
    """What events did, learned from real prices up to several times; ``benchmarks.responses`` made it."""
    text = resources.files(__package__).joinpath(_PACKAGED).read_text(encoding="utf-8")
    return tuple(Responses.read(one) for one in strict_json.loads(text))

"""Releases in the simulated market: dated ahead, a burst of volatility when they come, and its decay."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np

from synthcity.durations import DAY, MINUTE, WEEK
from synthcity.market.bars import Floats, Times
from synthcity.market.calendar.events.calendar import Calendar
from synthcity.market.calendar.events.event import Certainty, Event, Kind
from synthcity.market.calendar.events.response import LAST_SECOND
from synthcity.market.simulated.config import SimulatedConfig

KNOWN_AHEAD = 4 * WEEK
KINDS = (Kind.CPI, Kind.NFP)
"""What is released by turns; the first bursts with ``release_strength``, the second half as far above 1."""

_NEW_YORK = ZoneInfo("America/New_York")


@cache
def release_calendar(config: SimulatedConfig) -> Calendar:
    """All releases of the market: on ``releases_a_week`` weekdays at 08:30 New York, their kinds by turns."""
    rng = np.random.default_rng([config.seed, 1])
    events: list[Event] = []
    first = config.epoch - (config.epoch // DAY + 3) % 7 * DAY  # a Monday
    for week in range(first, config.end, WEEK):
        for weekday in np.sort(rng.permutation(5)[: config.releases_a_week]):
            day = datetime.fromtimestamp(week + int(weekday) * DAY, UTC)
            time = int(datetime(day.year, day.month, day.day, 8, 30, tzinfo=_NEW_YORK).timestamp())
            kind = KINDS[len(events) % len(KINDS)]
            events.append(
                Event(
                    time=time,
                    kind=kind,
                    name=f"Simulated {kind}",
                    certainty=Certainty.OFFICIAL,
                    source="the simulated market",
                    known_from=time - KNOWN_AHEAD,
                )
            )
    return Calendar(tuple(events), has_rules=False)


def release_multipliers(config: SimulatedConfig, minutes: Times) -> Floats:
    """Volatility of minutes that open at ``minutes`` (n,) relative to a day without releases."""
    found = np.ones(len(minutes))
    if not config.releases_a_week or not len(minutes):
        return found
    start, end = int(minutes.min()) - LAST_SECOND, int(minutes.max()) + 1
    for event in release_calendar(config).between(start, end):
        since = minutes - event.time
        during = (since >= 0) & (since < LAST_SECOND)
        height = (config.release_strength - 1) / (1 + KINDS.index(event.kind))
        found[during] *= 1 + height * 0.5 ** (since[during] / (MINUTE * config.release_half_life_minutes))
    return found

"""One thing that is known to come: when, what, how surely, since when, and who says so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from synthcity.durations import DAY


class Kind(StrEnum):
    """What comes; the value is what files and tables call it."""

    CPI = "cpi"
    NFP = "nfp"
    PPI = "ppi"
    PCE = "pce"
    GDP = "gdp"
    RETAIL_SALES = "retail"
    JOLTS = "jolts"
    ISM = "ism"
    CLAIMS = "claims"
    FOMC = "fomc"
    PRESS_CONFERENCE = "conference"
    FOMC_MINUTES = "minutes"
    JACKSON_HOLE = "jackson"
    EARNINGS = "earnings"
    EQUITY_EXPIRY = "expiry"
    CRYPTO_EXPIRY = "deribit"
    ROLL = "roll"
    HALF_DAY = "half-day"
    HOLIDAY = "holiday"


class Certainty(StrEnum):
    """How sure the date is.

    ``rule`` follows from a published rule, ``official`` was copied from a published schedule, ``checked`` is a noted
    date that the prices of its minute confirm, ``unchecked`` is none of these: it is shown and moves no forecast.
    """

    RULE = "rule"
    OFFICIAL = "official"
    CHECKED = "checked"
    UNCHECKED = "unchecked"


BY_RULE = frozenset({Kind.CLAIMS, Kind.EQUITY_EXPIRY, Kind.CRYPTO_EXPIRY, Kind.ROLL, Kind.HALF_DAY, Kind.HOLIDAY})
"""Kinds that ``rules`` dates; a file may not."""

SCHEDULED = frozenset(Kind) - BY_RULE - {Kind.JACKSON_HOLE, Kind.EARNINGS}
"""Kinds whose agency publishes the dates of a year before it begins."""

CHIEF = (Kind.CPI, Kind.NFP, Kind.FOMC)
"""Those that move prices most: a calendar reaches as far as it dates all of them."""

_SHORT_NOTICE = 7 * DAY


@dataclass(frozen=True, kw_only=True)
class Event:
    """One dated event.

    Attributes:
        time: when it happens, unix seconds.
        name: what people call it.
        source: who says so.
        known_from: unix seconds from which it may be used: what is known of it is its time, never what it brought.
        asset: the one asset that it is about; empty where it is about all.
    """

    time: int
    kind: Kind
    name: str
    certainty: Certainty
    source: str
    known_from: int
    asset: str = ""

    @property
    def is_sure(self) -> bool:
        """Whether a forecast may count on it."""
        return self.certainty is not Certainty.UNCHECKED


def known_by_rule(kind: Kind, time: int) -> int:
    """Since when an event may be used whose source does not tell when it was published: late rather than early.

    A scheduled release or meeting from 1 January of its year, since BLS, BEA, Census, ISM and the Federal Reserve
    publish the dates of a year in the year before; anything else a week ahead.
    """
    if kind not in SCHEDULED:
        return time - _SHORT_NOTICE
    return int(datetime(datetime.fromtimestamp(time, UTC).year, 1, 1, tzinfo=UTC).timestamp())

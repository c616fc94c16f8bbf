"""Which prices a round learns from and is judged on: a test period holds prices that nobody has looked at, once."""

from __future__ import annotations

from dataclasses import dataclass

from synthcity.durations import DAY
from synthcity.forecast.evaluation.interval import MIN_BLOCKS, block_days
from synthcity.market.periods import Period, Periods

LEAST_DAYS = 7
"""Of unseen prices that a verdict needs, whatever its statistics ask for."""


@dataclass(frozen=True, kw_only=True)
class TooEarly:
    """There are too few unseen prices; ``until`` (unix s) is when there can be enough."""

    until: int


def days_needed(time_length: int) -> int:
    """Return the whole days of a test period that bring an interval of prompts over ``time_length`` seconds.

    A prompt's last price lies ``time_length`` after its start, so the blocks need one more day behind them.
    """
    days = block_days(time_length)
    return max(LEAST_DAYS, (MIN_BLOCKS + 1) * days + 1)


def unseen_periods(start: int, end: int, looked_until: int | None, time_length: int) -> Periods | TooEarly:
    """Cut ``[start, end)`` into train, validation and a test of unseen prices.

    A sixth of the span is tested, less where others have looked at part of it; another sixth before that validates, and
    may hold what earlier rounds were tested on.

    Args:
        start, end: unix seconds, whole days.
        looked_until: end of the last test period on these prices, None where there was none.
        time_length: of the competition's prompts, seconds.
    """
    sixth = max(1, round((end - start) / DAY / 6)) * DAY
    least = days_needed(time_length) * DAY
    test = max(end - max(sixth, least), -(-(looked_until or 0) // DAY) * DAY)
    if end - test < least:
        return TooEarly(until=test + least)
    return Periods(
        train=Period(start=start, end=test - sixth),
        validation=Period(start=test - sixth, end=test),
        test=Period(start=test, end=end),
    )

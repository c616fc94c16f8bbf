from __future__ import annotations

import pytest

from synthcity.durations import DAY
from synthcity.market.periods import Periods
from synthcity.pipeline.steps.unseen import TooEarly, days_needed, unseen_periods

START, END = 20_000 * DAY, 20_360 * DAY


def test_at_first_a_sixth_is_tested() -> None:
    found = unseen_periods(START, END, None, DAY)
    assert isinstance(found, Periods)
    assert (found.test.start, found.test.end) == (END - 60 * DAY, END)
    assert (found.validation.start, found.train.start) == (END - 120 * DAY, START)


def test_later_only_what_nobody_looked_at() -> None:
    seen = END - 25 * DAY
    found = unseen_periods(START, END, seen, DAY)
    assert isinstance(found, Periods)
    assert found.test.start == found.validation.end == seen
    assert found.validation.start == seen - 60 * DAY, "what was tested may choose now"


def test_half_a_day_that_was_looked_at_is_no_unseen_day() -> None:
    found = unseen_periods(START, END, END - 25 * DAY - DAY // 2, DAY)
    assert isinstance(found, Periods)
    assert found.test.start == END - 25 * DAY


@pytest.mark.parametrize(("length", "days"), [(DAY, 19), (3600, 10)])
def test_too_few_unseen_days_say_until_when(length: int, days: int) -> None:
    assert days_needed(length) == days
    seen = END - (days - 1) * DAY
    assert unseen_periods(START, END, seen, length) == TooEarly(until=seen + days * DAY)
    assert isinstance(unseen_periods(START, END, seen - DAY, length), Periods)

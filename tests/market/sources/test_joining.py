from __future__ import annotations

import numpy as np

from synthcity.market.sources.joining import Joined, Span, join

START = 1_763_596_800  # 2025-11-20 00:00 UTC
MINUTES = START + 60 * np.arange(1440, dtype=np.int64)
DAY, HOUR = 86400, 3600


def price(minutes):
    return 100.0 + (np.asarray(minutes) - START) / 60 % 977


def whole(span: Span) -> np.ndarray:
    return price(np.arange(span.start, span.end + 1, span.increment))


def daily(*starts: int) -> list[Span]:
    return [Span(start=START + start, length=DAY, increment=300) for start in starts]


def test_paths_that_begin_at_different_minutes_make_a_grid_of_minutes():
    asked: list[Span] = []
    spans = daily(*(720 * k - DAY for k in range(240)))

    def ask(span: Span) -> np.ndarray:
        asked.append(span)
        return whole(span)

    found = join(MINUTES, spans, ask)
    np.testing.assert_array_equal(found.close, price(MINUTES))
    assert (found.num_conflicts, found.first_conflict) == (0, None)
    assert len(asked) == 10, "two a minute of five, one of which fits exactly, and one to hold against them"
    assert found.num_shared >= 280
    assert len(set(asked)) == len(asked)


def test_what_no_path_tells_stays_unknown():
    found = join(MINUTES, daily(0), whole)
    assert np.isfinite(found.close).sum() == 288
    np.testing.assert_array_equal(np.flatnonzero(np.isfinite(found.close)) % 5, 0)
    assert np.isnan(join(MINUTES, [], whole).close).all()
    assert np.isnan(join(MINUTES, daily(0, 300), lambda span: None).close).all()


def test_short_paths_fill_what_long_ones_leave():
    hours = [Span(start=START + HOUR * k, length=HOUR, increment=60) for k in range(24)]
    found = join(MINUTES, [*daily(0, 60, 120), *hours], whole)
    np.testing.assert_array_equal(found.close, price(MINUTES))


def test_a_minute_that_one_path_lacks_is_looked_for_in_one_more_and_no_further():
    asked: list[Span] = []

    def ask(span: Span) -> np.ndarray:
        asked.append(span)
        prices = whole(span)
        prices[span.rows(np.arange(span.start, span.end + 1, 300))] *= 1
        missing = [START + 600] if len(asked) == 1 else [START + 900] if len(asked) == 2 else []
        return np.where(np.isin(np.arange(span.start, span.end + 1, 300), [START + 300, *missing]), np.nan, prices)

    found = join(MINUTES, daily(0, -300, -600, -900, -1200), ask)
    assert len(asked) == 3, "and one to hold against them"
    assert np.isnan(found.close[5]), "all lack it"
    assert found.close[10] == price(START + 600), "the first lacks it"
    assert found.close[15] == price(START + 900), "the second does"


def contradicting(*wrong: int) -> Joined:
    spans = daily(-HOUR, 0)
    return join(MINUTES, spans, lambda span: whole(span) * (1.5 if span.start - START in wrong else 1.0))


def test_of_two_prices_that_of_the_path_that_ended_later_counts():
    found = contradicting(-HOUR)
    np.testing.assert_array_equal(found.close[::5], price(MINUTES)[::5])
    found = contradicting(0)
    np.testing.assert_array_equal(found.close[::5], 1.5 * price(MINUTES)[::5])


def test_conflicts_are_counted_and_the_first_is_shown():
    spans = [*daily(0), Span(start=START + HOUR, length=HOUR, increment=60)]

    def ask(span: Span) -> np.ndarray:
        prices = whole(span)
        if span.length == HOUR:
            prices[[10, 20]] += 1.0
        return prices

    found = join(MINUTES, spans, ask)
    at = START + HOUR + 600
    assert (found.num_shared, found.num_conflicts) == (13, 2)
    assert found.first_conflict == (at, price(at) + 1.0, price(at))

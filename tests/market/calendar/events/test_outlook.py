"""As of a time: nothing is expected of an event that was not known, nor learned from what had not come."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest

from synthcity.durations import DAY, HOUR, MINUTE
from synthcity.market.calendar.events.calendar import Calendar, packaged
from synthcity.market.calendar.events.event import Certainty, Kind
from synthcity.market.calendar.events.outlook import Outlook, packaged_responses
from synthcity.market.calendar.minutes import over_steps
from synthcity.market.times import parse_time
from tests.market.calendar.events.factories import event
from tests.market.calendar.events.test_response import RESPONSES

NOON = parse_time("2025-07-01T12:00")
RELEASE = event(NOON + 30 * MINUTE, known_from=NOON - DAY)
AROUND = NOON + 60 * np.arange(-1440, 1440, dtype=np.int64)


def outlook(*events: object, responses: tuple = (RESPONSES,)) -> Outlook:
    return Outlook(calendar=Calendar(tuple(events), has_rules=False), responses=responses)


def test_a_known_event_moves_its_minutes_and_no_others():
    found = outlook(RELEASE).effect("ETH", NOON)(AROUND)
    since = (AROUND - RELEASE.time) // MINUTE
    moved = (since >= -15) & (since < 240)
    np.testing.assert_array_equal(found[moved], RESPONSES.minutes(Kind.CPI, "ETH"))
    assert (found[~moved] == 1.0).all()


def test_effects_of_several_events_multiply_and_any_order_of_minutes_is_fine():
    both = outlook(RELEASE, replace(RELEASE, time=RELEASE.time + HOUR))
    alone = [outlook(e).effect("BTC", NOON)(AROUND) for e in both.calendar.dated]
    shuffled = np.random.default_rng(0).permutation(AROUND)
    np.testing.assert_allclose(both.effect("BTC", NOON)(AROUND), alone[0] * alone[1])
    found = both.effect("BTC", NOON)(shuffled)
    np.testing.assert_array_equal(found[np.argsort(shuffled)], both.effect("BTC", NOON)(AROUND))
    assert both.effect("BTC", NOON)(AROUND[:0]).shape == (0,)


@pytest.mark.parametrize(
    "hidden",
    [
        replace(RELEASE, known_from=NOON + 1),
        replace(RELEASE, certainty=Certainty.UNCHECKED),
        replace(RELEASE, asset="ETH"),
        replace(RELEASE, kind=Kind.HOLIDAY),
    ],
)
def test_what_is_not_known_not_sure_or_not_ours_changes_no_bit(hidden: object):
    assert (outlook(hidden).effect("BTC", NOON)(AROUND) == 1.0).all()


def test_it_is_seen_from_the_second_on_at_which_it_was_published():
    published = outlook(replace(RELEASE, known_from=NOON))
    assert (published.effect("BTC", NOON - 1)(AROUND) == 1.0).all()
    assert published.effect("BTC", NOON)(AROUND).max() > 5


def test_of_what_was_learned_at_several_times_the_last_that_was_known_is_used():
    later = replace(RESPONSES, until=NOON, pooled={Kind.CPI: (1.0, 9.0, *RESPONSES.pooled[Kind.CPI][2:])}, own={})
    seen = outlook(RELEASE, responses=(RESPONSES, later))
    first = {now: seen.effect("ETH", now)(np.array([RELEASE.time]))[0] for now in (RESPONSES.until - 1, NOON - 1, NOON)}
    assert list(first.values()) == pytest.approx([1.0, 6.0 * 1.6, 9.0 * 1.6])


def test_ahead_holds_what_was_known_so_long_before_and_is_the_same_from_whenever_it_is_asked():
    dated = [replace(RELEASE, time=RELEASE.time + k * DAY, known_from=RELEASE.time - DAY) for k in range(1, 4)]
    late = replace(dated[1], known_from=dated[1].time - DAY)  # not a day before the first minute that it moves
    seen = outlook(dated[0], late, dated[2])
    minutes = RELEASE.time + 60 * np.arange(-1440, 6 * 1440, dtype=np.int64)
    found = seen.ahead("BTC", DAY)(minutes)
    np.testing.assert_array_equal(found, outlook(dated[0], dated[2]).effect("BTC", int(minutes[-1]))(minutes))
    np.testing.assert_array_equal(seen.ahead("BTC", DAY)(minutes[700:4000]), found[700:4000])
    assert seen.ahead("BTC", HOUR)(minutes)[1440 + 2 * 1440] > 5, "an hour before it was known"
    assert (outlook(replace(RELEASE, time=RESPONSES.until + HOUR)).ahead("BTC", DAY)(minutes) == 1).all()


def test_what_was_learned_from_fewer_events_later_displaces_nothing():
    young = replace(RESPONSES, until=NOON, num_events={Kind.CPI: 2}, pooled={Kind.CPI: (1.0,) * 8}, own={})
    for responses in ((RESPONSES, young), (young, RESPONSES)):
        assert outlook(RELEASE, responses=responses).effect("ETH", NOON)(np.array([RELEASE.time]))[0] > 5


def test_steps_sum_the_variances_of_the_minutes_that_they_hold():
    ends = np.array([RELEASE.time + 180, RELEASE.time + 480])
    found = over_steps(ends, 300, outlook(RELEASE).effect("ETH", NOON))
    first, second = RESPONSES.minutes(Kind.CPI, "ETH")[13:18], RESPONSES.minutes(Kind.CPI, "ETH")[18:23]
    np.testing.assert_allclose(found, [np.sqrt(np.mean(first**2)), np.sqrt(np.mean(second**2))])


def test_packaged_responses_are_in_order_and_tell_what_they_were_learned_from():
    found = packaged_responses()
    assert [one.until for one in found] == sorted({one.until for one in found})
    assert found[0].until == parse_time("2024-09-08")
    for one in found:
        assert one.num_events[Kind.CPI] >= 8
        assert 3 < one.pooled[Kind.CPI][1] < 10
        assert all(0.3 < value < 12 for curve in one.pooled.values() for value in curve)
        assert np.mean(np.square(one.opening)) == pytest.approx(1.0, abs=0.01)


def test_the_real_calendar_expects_a_release_of_consumer_prices():
    real = Outlook(calendar=packaged(), responses=packaged_responses())
    release = parse_time("2025-09-11T12:30")
    assert real.effect("BTC", release - DAY)(np.array([release]))[0] > 4
    assert real.effect("BTC", release)(release + 9 * HOUR + 60 * np.arange(600, dtype=np.int64)).tolist() == [1.0] * 600
    unchecked = parse_time("2025-12-18T13:30")
    assert real.effect("BTC", unchecked)(np.array([unchecked]))[0] < 3, "claims alone"


def test_it_travels_to_another_process():
    again = pickle.loads(pickle.dumps(outlook(RELEASE)))
    np.testing.assert_array_equal(again.effect("BTC", NOON)(AROUND), outlook(RELEASE).effect("BTC", NOON)(AROUND))

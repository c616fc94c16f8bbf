"""What counts as news of a miner."""

from __future__ import annotations

from synthcity.serve.operations.alarms import Severity
from synthcity.serve.operations.view import View
from tests.serve.operations.look import around, well


def test_who_is_well_has_no_news() -> None:
    view = View.of(well())
    assert (view.alarms, view.severity, view.news) == ((), None, frozenset())


def test_numbers_alone_are_no_news_and_another_alarm_is() -> None:
    first, later = View.of(around(clock_offset=9.0)), View.of(around(clock_offset=11.5))
    assert first.alarms != later.alarms
    assert first.news == later.news != frozenset()
    assert View.of(around(clock_offset=9.0, disk_free=0)).news > first.news


def test_a_decision_is_news_without_an_alarm() -> None:
    view = View.of(well(), "bundle 7 is champion")
    assert view.news == {"bundle # is champion"}
    assert view.severity is None


def test_the_worst_alarm_comes_first() -> None:
    view = View.of(around(clock_offset=9.0, disk_free=0))
    assert len(view.alarms) > 1
    order = [list(Severity).index(alarm.severity) for alarm in view.alarms]
    assert order in (sorted(order), sorted(order, reverse=True))
    assert view.severity is view.alarms[0].severity
